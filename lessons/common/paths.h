/* paths - where programs write
 *
 * Any thread may call its functions.
 */
#ifndef COMMON_PATHS_H
#define COMMON_PATHS_H

/* Returns the build folder: $ASQ_BUILD, or "build". */
const char *asq_build_dir(void);

/* Makes the folders of path, up to its last '/', if they do not exist. Returns
 * 0 or a negative errno. */
int asq_make_parents(const char *path);

#endif
