/* test_compiler - what a compiler says is one line, what an object defines is
 * the contract's
 *
 * Most tests compile a small file; the texts that stand here are what another
 * compiler or linker prints.
 */
#include "grader/driver/compiler.h"
#include "grader/runner.h"
#include "student_file.h"

#include <unistd.h>

#define SHOWN "exercises/90-x/ex_x.c"

static const struct compiler_file file = {"ex_x.c", SHOWN};

static const char contract[] =
    "/* ex_secret(int) is not declared: this is a comment. */\n"
    "#include \"90-module/one.h\"\n"
    "int ex_get(int n); // ex_hidden(void)\n"
    "struct sqlite3 *\n"
    "ex_make\n"
    "(void);\n";

/* Compiles the source beside a header ex_x.h, to an object. Returns whether
 * the compiler succeeded. */
static int compile(struct student *student,
                   const char *sanitize,
                   const char *header,
                   const char *source)
{
    const char *words[] = {"-std=gnu11",        "-Wall", "-g",     "-c", "-o",
                           test_path("ex_x.o"), NULL,    sanitize, NULL};

    (void)student_write("ex_x.h", header);
    words[6] = student_write("ex_x.c", source);
    return student_compile(student, words) == 0;
}

static const struct finding *explain(struct student *student)
{
    compiler_explain(student->text, &file, &student->finding);
    CHECK_TEXT(verdict_name(student->finding.verdict), "does not compile");
    return &student->finding;
}

static const struct finding *explain_text(struct student *student,
                                          const char *text)
{
    (void)snprintf(student->text, sizeof(student->text), "%s", text);
    return explain(student);
}

static void first_error_has_its_line(void *fixture)
{
    struct student *student = fixture;
    const struct finding *finding = &student->finding;

    CHECK(!compile(student, NULL, "",
                   "int ex_get(int n)\n"
                   "{\n"
                   "    int unused;\n"
                   "\treturn n + other;\n"
                   "}\n"
                   "int broken(void) { return 1 }\n"));
    (void)explain(student);
    CHECK_CONTAINS(finding->got, "other");
    CHECK_TEXT(finding->where, SHOWN ":4");
    CHECK_CONTAINS(finding->more, "return n + other;\n");
    CHECK_CONTAINS(finding->more, "^");
    CHECK(strstr(finding->more, " | ") == NULL);
}

static void error_in_a_header_is_told_at_its_include(void *fixture)
{
    struct student *student = fixture;

    CHECK(!compile(student, NULL, "nothing ex_get(int n);\n",
                   "#include <stddef.h>\n"
                   "#include \"ex_x.h\"\n"
                   "int n = none;\n"));
    (void)explain(student);
    CHECK_CONTAINS(student->finding.got, "nothing");
    CHECK_TEXT(student->finding.where, SHOWN ":2");
    CHECK_CONTAINS(student->finding.cause, "it is in ex_x.h");
}

static void header_that_is_not_there_is_named(void *fixture)
{
    struct student *student = fixture;

    CHECK(!compile(student, NULL, "", "#include \"no_such.h\"\n"));
    (void)explain(student);
    CHECK_CONTAINS(student->finding.got, "no_such.h");
    CHECK_TEXT(student->finding.where, SHOWN ":1");
}

static void missing_function_is_named(void *fixture)
{
    struct student *student = fixture;
    const char *words[] = {"-g", "-o", test_path("program"), NULL, NULL};

    words[3] = student_write("ex_x.c", "int ex_get(void);\n"
                                       "int main(void)\n"
                                       "{\n"
                                       "    return ex_get();\n"
                                       "}\n");
    CHECK(student_compile(student, words) != 0);
    (void)explain(student);
    CHECK_TEXT(student->finding.got, "ex_get is not defined");
}

static void other_linkers_are_understood(void *fixture)
{
    struct student *student = fixture;

    CHECK_TEXT(explain_text(student, "ld.lld: error: undefined symbol: ex_a\n"
                                     ">>> referenced by check.c\n")
                   ->got,
               "ex_a is not defined");
    CHECK_TEXT(explain_text(student,
                            "/usr/bin/ld: /tmp/l2.o: in function `main':\n"
                            "/x/check.c:1: multiple definition of `main'; "
                            "/tmp/l.o:/x/ex_x.c:7: first defined here\n")
                   ->got,
               "main is defined twice");
    CHECK_TEXT(student->finding.where, SHOWN ":7");
}

static void whatever_is_said_there_is_a_reason(void *fixture)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "cc: fatal error: Killed signal terminated cc1\n",
        "ex_x.c:1:2: error:",
        ": error: ",
        "undefined reference to ",
        "In file included from ex_x.c",
        "\xff\xfe",
        "ex_x.c:",
        "^\n^\n"};
    struct student *student = fixture;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        CHECK(explain_text(student, texts[i])->got[0] != '\0');
    CHECK_TEXT(explain_text(student, "cc: /opt/x/cc1: not found\n")->got,
               "cc: cc1: not found");
}

static void warnings_of_the_file_are_counted(void *fixture)
{
    struct student *student = fixture;
    char text[4096];

    CHECK(compile(student, NULL, "static int in_header(void) { return 1; }\n",
                  "#include \"ex_x.h\"\n"
                  "int ex_get(int n)\n"
                  "{\n"
                  "    int a; int b; int c; int d; int e;\n"
                  "    int f; int g; int h; int i; int j;\n"
                  "    return n;\n"
                  "}\n"));
    CHECK_INT(compiler_warnings(student->text, &file, text, sizeof(text)), 10);
    CHECK(strncmp(text, SHOWN ":", strlen(SHOWN) + 1) == 0);
    CHECK_CONTAINS(text, SHOWN ":5: warning: unused variable");
    CHECK(strstr(text, "in_header") == NULL);
    CHECK_INT(compiler_warnings(student->text, &file, text, 100), 10);
    CHECK(strlen(text) < 100);
}

/* ---- The barrier -----------------------------------------------------------
 */

/* Looks at the object; the modules are in the test's folder. */
static const struct finding *look_at_object(struct student *student)
{
    char lessons[512];

    (void)snprintf(lessons, sizeof(lessons), "%s", test_path("."));
    lessons[strlen(lessons) - 2] = '\0';
    CHECK_INT(compiler_barrier(test_path("ex_x.o"), test_path("ex_x.h"),
                               lessons, &file, &student->finding),
              0);
    return &student->finding;
}

static const struct finding *look_at(struct student *student,
                                     const char *source)
{
    CHECK(compile(student, NULL, contract, source));
    return look_at_object(student);
}

/* Another source than the contract's header can be included from. */
#define OWN                                                                    \
    "int ex_get(int n);\n"                                                     \
    "int ex_get(int n) { return n; }\n"

static void contract_and_statics_pass(void *fixture)
{
    struct student *student = fixture;

    (void)look_at(student, "#include <stdio.h>\n" OWN
                           "static int count; static const int two = 2;\n"
                           "static int write(void) { return two; }\n"
                           "void *ex_make(void);\n"
                           "void *ex_make(void)\n"
                           "{\n"
                           "    count += write();\n"
                           "    puts(\"x\");\n"
                           "    return &count;\n"
                           "}\n");
    CHECK_TEXT(student->finding.got, "");
    CHECK_INT(student->finding.verdict, VERDICT_PASSED);
}

static void other_definitions_are_refused(void *fixture)
{
    static const struct {
        const char *source;
        const char *got;
        const char *where;
    } ways[] = {
        {OWN "int main(void) { return 0; }\n",
         "defines main, which is the grader's", SHOWN ":3"},
        {OWN "long write(int a, const void *b, unsigned long c)\n"
             "{ (void)a; (void)b; return (long)c; }\n",
         "defines write, which is not its own", SHOWN ":3"},
        {OWN "int ex_help(void) { return 1; }\n",
         "defines ex_help, which the contract does not know", SHOWN ":3"},
        {OWN "int ex_secret(int n) { return n; }\n",
         "defines ex_secret, which the contract does not know", SHOWN ":3"},
        {OWN "int ex_hidden(void) { return 1; }\n",
         "defines ex_hidden, which the contract does not know", SHOWN ":3"},
        {OWN "int ex_ge(void) { return 1; }\n",
         "defines ex_ge, which the contract does not know", SHOWN ":3"},
        {OWN "int ex_total;\n", "defines the global variable ex_total", ""},
        {OWN "const char test_suite[] = \"x\";\n",
         "defines the global variable test_suite", ""},
        {"const int ex_get = 5;\n", "defines the global variable ex_get", ""},
        {OWN "int asq_db_open(void) { return 0; }\n",
         "defines asq_db_open, which is not its own", SHOWN ":3"},
        {OWN "__attribute__((weak)) int memcmp(const void *a, const void *b,\n"
             "unsigned long n) { return a != b && n; }\n",
         "defines memcmp, which is not its own", SHOWN ":3"},
    };
    struct student *student = fixture;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        (void)look_at(student, ways[i].source);
        CHECK_TEXT(student->finding.got, ways[i].got);
        CHECK_INT(student->finding.verdict, VERDICT_REFUSED);
        CHECK(student->finding.cause[0] != '\0');
#if defined(__linux__)
        if (ways[i].where[0] != '\0')
            CHECK_TEXT(student->finding.where, ways[i].where);
#endif
    }
}

static void code_outside_of_main_is_refused(void *fixture)
{
    static const char *const sources[] = {
        OWN "__attribute__((constructor)) static void c(void) {}\n",
        OWN "__attribute__((destructor)) static void c(void) {}\n",
        OWN "__attribute__((constructor(101))) static void c(void) {}\n",
        OWN "__attribute__((section(\".preinit_array\"), used))\n"
            "static int (*f)(int) = ex_get;\n",
        OWN "__asm__(\".section .init,\\\"ax\\\"; nop; .text\");\n",
        OWN "__asm__(\".section .fini_array.1,\\\"aw\\\"; .quad 0; .text\");\n",
        OWN "__asm__(\".section .ctors,\\\"aw\\\"; .quad 0; .text\");\n",
        OWN "__asm__(\".section .other,\\\"aw\\\",@init_array;"
            ".quad 0; .text\");\n",
    };
    struct student *student = fixture;

#if !defined(__linux__)
    test_skip("sections are looked at by readelf");
#endif
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        (void)look_at(student, sources[i]);
        CHECK_TEXT(student->finding.got,
                   "has code that runs before or after main");
    }
}

static void only_the_sanitizers_constructor_passes(void *fixture)
{
    static const char *const sanitizers[] = {"-fsanitize=address,undefined",
                                             "-fsanitize=thread"};
    static const char *const sources[] = {
        OWN "__attribute__((constructor)) static void c(void) {}\n",
        OWN "__attribute__((constructor(99))) static void c(void) {}\n",
        OWN "__attribute__((constructor(1))) static void c(void) {}\n",
        OWN "__attribute__((constructor(0))) static void c(void) {}\n",
    };
    struct student *student = fixture;

#if !defined(__linux__)
    test_skip("sections are looked at by readelf");
#endif
    for (size_t i = 0; i < sizeof(sanitizers) / sizeof(sanitizers[0]); i++) {
        if (!compile(student, sanitizers[i], contract,
                     OWN "static const char *names[] = {\"a\", \"b\"};\n"
                         "void *ex_make(void);\n"
                         "void *ex_make(void) { return &names[1]; }\n"))
            test_skip("cannot compile with %s", sanitizers[i]);
        (void)look_at_object(student);
        CHECK_TEXT(student->finding.got, "");
        for (size_t j = 0; j < sizeof(sources) / sizeof(sources[0]); j++) {
            CHECK(compile(student, sanitizers[i], contract, sources[j]));
            (void)look_at_object(student);
            CHECK_TEXT(student->finding.got,
                       "has code that runs before or after main");
        }
    }
    /* Whoever names the sanitizer's function cannot be linked without it. */
    (void)look_at(student, OWN
                  "extern void __asan_init(void) __attribute__((weak));\n"
                  "void *ex_make(void);\n"
                  "void *ex_make(void) { return (void *)__asan_init; }\n"
                  "__attribute__((constructor(99))) static void c(void) {}\n");
    CHECK_INT(student->finding.verdict, VERDICT_REFUSED);
}

static void what_the_assembler_defines_is_seen(void *fixture)
{
    static const struct {
        const char *source;
        const char *got;
    } ways[] = {
        {OWN "__asm__(\".globl memcmp; .type memcmp,@function; memcmp: ret\");",
         "defines memcmp, which is not its own"},
        {OWN "__asm__(\".comm shared,4,4\");\n",
         "defines the global variable shared"},
        {OWN "__asm__(\".globl zero; zero = 5\");\n",
         "defines the global variable zero"},
        {OWN "__asm__(\".type chosen,@gnu_indirect_function; chosen: ret\");\n",
         "defines chosen as an indirect function"},
        {OWN "__asm__(\".globl u; .type u,@gnu_unique_object; .data; u: "
             ".quad 0; .text\");\n",
         "defines the global variable u"},
    };
    struct student *student = fixture;

#if !defined(__linux__)
    test_skip("the assembler of macOS knows other words");
#endif
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        (void)look_at(student, ways[i].source);
        CHECK_TEXT(student->finding.got, ways[i].got);
    }
}

static void modules_are_those_of_the_contract(void *fixture)
{
    struct student *student = fixture;
    char folder[512];

    (void)snprintf(folder, sizeof(folder), "%s", test_path("90-module"));
    CHECK_INT(test__folder_make(folder), 0);
    (void)student_write("90-module/one.h", "#include \"90-module/two.h\"\n"
                                           "#include \"90-module/one.h\"\n"
                                           "/* asq_three(void) */\n"
                                           "int asq_one(void);\n");
    (void)student_write("90-module/two.h", "int asq_two (void);\n");
    (void)look_at(
        student,
        OWN "int asq_one(void); int asq_two(void);\n"
            "void *ex_make(void);\n"
            "void *ex_make(void)\n"
            "{ return asq_one() + asq_two() ? (void *)0 : (void *)0; }\n");
    CHECK_TEXT(student->finding.got, "");
    (void)look_at(student,
                  OWN "int asq_three(void);\n"
                      "void *ex_make(void);\n"
                      "void *ex_make(void)\n"
                      "{ return asq_three() ? (void *)0 : (void *)0; }\n");
    CHECK_TEXT(student->finding.got,
               "uses asq_three, which its contract does not include");
    (void)look_at(student, OWN "void test__tell(char, const char *, ...);\n"
                               "void *ex_make(void);\n"
                               "void *ex_make(void)\n"
                               "{ test__tell('P', \"\"); return 0; }\n");
    CHECK_TEXT(student->finding.got, "uses test__tell, which is the grader's");
    CHECK_INT(unlink(test_path("90-module/one.h")), 0);
    CHECK_INT(unlink(test_path("90-module/two.h")), 0);
}

static void object_that_cannot_be_read_is_an_error(void *fixture)
{
    struct student *student = fixture;
    const char *header = student_write("ex_x.h", contract);
    const char *object = student_write("ex_x.o", "no object\n");

    CHECK(compiler_barrier(object, header, ".", &file, &student->finding) < 0);
    CHECK(compiler_barrier("no-file", header, ".", &file, &student->finding) <
          0);
    CHECK_INT(
        compiler_barrier(object, "no-file", ".", &file, &student->finding),
        UV_ENOENT);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(first_error_has_its_line),
    CASE(error_in_a_header_is_told_at_its_include),
    CASE(header_that_is_not_there_is_named),
    CASE(missing_function_is_named),
    CASE(other_linkers_are_understood),
    CASE(whatever_is_said_there_is_a_reason),
    CASE(warnings_of_the_file_are_counted),
    CASE(contract_and_statics_pass),
    CASE(other_definitions_are_refused),
    CASE(code_outside_of_main_is_refused),
    CASE(only_the_sanitizers_constructor_passes),
    CASE(what_the_assembler_defines_is_seen),
    CASE(modules_are_those_of_the_contract),
    CASE(object_that_cannot_be_read_is_an_error),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "compiler",
    .cases = cases,
    .fixture_size = sizeof(struct student),
};
