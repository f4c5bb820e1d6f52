/* atomics - atomic fields that C and C++ see alike
 *
 * C11 has them in <stdatomic.h>. C++ has no such header before C++23, but it
 * has types of the same names in <atomic>. The modules' headers are for both
 * languages, so they include this one instead. Functions that work on the
 * fields, such as atomic_load, are called in C only.
 *
 * Depends on nothing.
 */
#ifndef ASQ_ATOMICS_H
#define ASQ_ATOMICS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus

#include <atomic>

using std::atomic_bool;
using std::atomic_size_t;
using std::atomic_uintptr_t;

#else

#include <stdalign.h>
#include <stdatomic.h>

#endif

/* One language lays out a struct that the other uses. So each of them compares
 * the layout with that of the plain types, which is the same in both. */
static_assert(sizeof(atomic_bool) == sizeof(bool) &&
                  alignof(atomic_bool) == alignof(bool),
              "an atomic_bool is not laid out as a bool");
static_assert(sizeof(atomic_size_t) == sizeof(size_t) &&
                  alignof(atomic_size_t) == alignof(size_t),
              "an atomic_size_t is not laid out as a size_t");
static_assert(sizeof(atomic_uintptr_t) == sizeof(uintptr_t) &&
                  alignof(atomic_uintptr_t) == alignof(uintptr_t),
              "an atomic_uintptr_t is not laid out as a uintptr_t");

#endif
