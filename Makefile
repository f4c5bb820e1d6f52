# Makefile - builds, runs and tests the course
#
# Nothing is listed here by hand: a new lesson is a new folder, a new test a
# new file. Works with GNU make 3.81 and later.
#
# Settings, given as in `make test SAN=thread`:
#
#   BUILD=dir               where everything is built (build)
#   CC=clang                the compiler (cc)
#   CFLAGS='-O0 -g'         how it optimises (-O2 -g)
#   SAN=address,undefined   with these sanitizers, in a folder of their own
#   SAN=thread              with the thread sanitizer
#   WERROR=1                a warning is an error
#   DEPS=skip               never install what is missing
#   DEPS=home               take it into a folder of your own, without rights
#   V=1                     show every command whole

BUILD ?= build
DEPS ?= ask
OUT := $(BUILD)

# To make, a blank ends a name, and these two mean something of their own.
ifneq ($(words $(BUILD))$(findstring :,$(BUILD))$(findstring %,$(BUILD)),1)
  $(error BUILD=$(BUILD): use a folder without blanks, colons and percent \
    signs in its name, as in BUILD=/tmp/async-db)
endif

comma := ,
ifneq ($(SAN),)
  ifeq ($(filter thread address undefined address$(comma)undefined,$(SAN)),)
    $(error SAN=$(SAN): use SAN=thread or SAN=address,undefined)
  endif
  OUT := $(BUILD)/san-$(subst $(comma),-,$(SAN))
  CFLAGS ?= -O1 -g
  SAN_FLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer
  ifneq ($(findstring undefined,$(SAN)),)
    SAN_FLAGS += -fno-sanitize-recover=undefined
  endif
endif
CFLAGS ?= -O2 -g

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
  -Wwrite-strings -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual \
  -Wimplicit-fallthrough $(if $(filter 1,$(WERROR)),-Werror)
COMPILE = $(CC) -std=c11 -D_POSIX_C_SOURCE=200809L $(INCLUDES) $(WARNINGS) \
  $(SAN_FLAGS) $(CFLAGS)
INCLUDES := -Ilessons
# Some objects get more than this; a change of it is one for all of them.
FLAGS := $(COMPILE) $(LDFLAGS)

# Programs find data and results, tests find programs, through these two.
export ASQ_BUILD := $(BUILD)
export ASQ_BIN := $(OUT)
# Scripts that call make again use the same one, with the same settings.
export MAKE BUILD CC SAN DEPS WERROR

# All processors, unless -j was given. What runs programs is one recipe that
# needs everything built, so nothing is measured beside a compiler. Several
# goals are reached one after another. A make started by this one (SUB) shares
# its processors.
jobs := $(if $(SUB)$(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell \
  getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1))
MAKEFLAGS += -r $(jobs)
ifneq ($(word 2,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.SUFFIXES:

Q := $(if $(filter 1,$(V)),,@)

# ---- What there is ---------------------------------------------------------

LESSONS := $(sort $(patsubst lessons/%/main.c,%,\
  $(wildcard lessons/[0-9][0-9]-*/main.c)))
IDEAS := $(sort $(patsubst lessons/%/idea.c,%,\
  $(wildcard lessons/[0-9][0-9]-*/idea.c)))
CLAIMS := $(sort $(patsubst lessons/%/claims.c,%,\
  $(wildcard lessons/[0-9][0-9]-*/claims.c)))
# A trouble and its cures: docs/troubleshooting.md lists them.
CASES := $(sort $(patsubst lessons/%.c,%,\
  $(wildcard lessons/[0-9][0-9]-*/case_*.c)))
# A module is an X.c beside its X.h; all of common is modules.
MODULES := $(sort $(wildcard lessons/common/*.c \
  $(patsubst %.h,%.c,$(wildcard lessons/[0-9][0-9]-*/*.h))))
# Every other file of a lesson is a wrong twin.
TWINS := $(sort $(patsubst lessons/%.c,%,$(filter-out $(MODULES) \
  %/main.c %/idea.c %/claims.c $(CASES:%=lessons/%.c),$(wildcard lessons/[0-9][0-9]-*/*.c))))
# In bench, an X.c beside its X.h is a part of the programs there.
BENCH_PARTS := $(sort $(wildcard $(patsubst %.h,%.c,$(wildcard bench/*.h))))
BENCHES := $(sort $(patsubst %.c,%,\
  $(filter-out bench/demo.c $(BENCH_PARTS),$(wildcard bench/*.c))))
TESTS := $(sort $(patsubst tests/test_%.c,%,$(wildcard tests/test_*.c)))
GRADER := $(sort $(filter-out %/thread_check.c,$(wildcard exercises/grader/*.c)))
modules_of = $(if $(wildcard $(1)),$(shell sh exercises/grader/tools/modules.sh \
  $(wildcard $(1))))
# The grader itself, a program without a student's code in it.
DRIVER := $(sort $(filter-out %/main.c,$(wildcard exercises/grader/driver/*.c)))
DRIVER_MODULES := $(if $(DRIVER),$(call modules_of,exercises/grader/driver/*.c $(GRADER)))
CLASS := $(sort $(wildcard exercises/grader/class/*.c))
EXERCISES := $(sort $(patsubst exercises/%/check.c,%,\
  $(wildcard exercises/[0-9][0-9]-*/check.c)))

# The thread sanitizer does not look into SQLite: this file tells it which
# connection is used. It replaces functions of SQLite, others of the grader
# replace the allocator, so the linker is told all names that they define.
# Only the linkers of Linux can do that.
ifneq ($(findstring thread,$(SAN)),)
  THREAD_CHECK := $(wildcard exercises/grader/thread_check.c)
endif
ifeq ($(shell uname -s),Linux)
  names_in = sed -n '/^[a-z_]/s/.*__wrap_\([a-z0-9_]*\)(.*/\1/p'
  wraps = $(if $(1),$(addprefix -Wl$(comma)--wrap=,\
    $(sort $(shell $(names_in) $(1)))))
endif

objects = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
LIB := $(OUT)/libasq.a
LESSON_PROGRAMS := $(LESSONS:%=$(OUT)/%)
IDEA_PROGRAMS := $(IDEAS:%=$(OUT)/%-idea)
CLAIM_PROGRAMS := $(CLAIMS:%=$(OUT)/%-claims)
CASE_PROGRAMS := $(foreach case,$(CASES),$(OUT)/$(subst /,-,$(case)))
TWIN_PROGRAMS := $(TWINS:%=$(OUT)/twins/%)
TEST_PROGRAMS := $(TESTS:%=$(OUT)/tests/test_%)
BENCH_PROGRAMS := $(BENCHES:%=$(OUT)/%)
DRIVER_LIB := $(if $(DRIVER),$(OUT)/libdriver.a)
GRADERS := $(if $(DRIVER),$(OUT)/grader) $(if $(CLASS),$(OUT)/class)
DEMO := $(if $(wildcard bench/demo.c),$(OUT)/demo)
DEMO_SOURCES := $(wildcard bench/demo.c) $(call modules_of,bench/demo.c)

# An archive knows its members by file name only.
ifneq ($(words $(notdir $(MODULES))),$(words $(sort $(notdir $(MODULES)))))
  $(error two modules have the same file name: $(shell printf '%s\n' \
    $(notdir $(MODULES)) | sort | uniq -d))
endif

# ---- Building --------------------------------------------------------------

.PHONY: all lesson-programs FORCE
all: lesson-programs $(DEMO) $(BENCH_PROGRAMS) $(TEST_PROGRAMS) $(GRADERS) ## builds everything (what `make` alone does)

# What twins.sh runs, under any SAN.
lesson-programs: $(LESSON_PROGRAMS) $(IDEA_PROGRAMS) $(CLAIM_PROGRAMS) $(CASE_PROGRAMS) $(TWIN_PROGRAMS)

FORCE:

# Everything that is compiled depends on this file. It is new when the
# compiler, its flags or the place of a library is; before that, what the
# course needs is looked for and, if missing, installed.
$(OUT)/flags: FORCE
	@mkdir -p $(OUT) 2>/dev/null && [ -w $(OUT) ] || { \
	  echo '$(OUT) cannot be written: use another, with make BUILD=/tmp/async-db' >&2; \
	  exit 1; }
	@sh tests/tools/deps.sh $(OUT)
	@$(if $(MISSING),echo 'Compiles $(TOTAL) file$(if $(filter 1,$(TOTAL)),,s) first; the next time it does not.')
	@{ echo '$(FLAGS)'; cat $(OUT)/deps.cflags $(OUT)/deps.libs; \
	} >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	@$(call tell,CC,$<)
	$(Q)$(COMPILE) $(MORE_FLAGS) @$(OUT)/deps.cflags -MMD -MP -c -o $@ $<

# Only the teacher's tool opens archives, and says so where libarchive is not.
UNPACK := $(OUT)/obj/exercises/grader/class/unpack.o
$(OUT)/archive.cflags $(OUT)/archive.libs: $(OUT)/flags ;
$(UNPACK): $(OUT)/archive.cflags
$(UNPACK): MORE_FLAGS = @$(OUT)/archive.cflags

$(OUT)/obj/tests/%.o $(OUT)/obj/exercises/%.o: INCLUDES += -Iexercises
# A skeleton finds its contract as the file that a student edits does.
$(OUT)/obj/exercises/grader/skeletons/%.o: INCLUDES += $(EXERCISES:%=-Iexercises/%)
$(OUT)/obj/exercises/grader/skeletons/%.o: WARNINGS += $(STUDENT_WARNINGS)

# An archive's list is new when a member came or went, even if no other is
# younger.
$(LIB).list: MEMBERS = $(MODULES)
$(OUT)/libgrader.a.list: MEMBERS = $(GRADER) $(THREAD_CHECK)
$(OUT)/libdriver.a.list: MEMBERS = $(DRIVER)
define archives
$(1:%=%.list): FORCE | $(OUT)/flags
	@mkdir -p $$(@D)
	@echo '$$(MEMBERS)' >$$@.new
	@if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi

$(1): %: %.list
	@$$(call tell,AR,$$@)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(eval $(call archives,$(LIB) $(OUT)/libgrader.a $(OUT)/libdriver.a))

$(LIB): $(call objects,$(MODULES))
$(OUT)/libgrader.a: $(call objects,$(GRADER) $(THREAD_CHECK))
$(OUT)/libdriver.a: $(call objects,$(DRIVER))

# Objects come before the archive: what a twin defines itself, the linker
# does not look for there.
define link
	@mkdir -p $(@D)
	@$(call tell,LD,$@)
	$(Q)$(CC) $(SAN_FLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) \
	  $(call wraps,$(wrapping)) $(MORE_LIBS) @$(OUT)/deps.libs -lpthread
endef

$(LESSON_PROGRAMS): $(OUT)/%: $(OUT)/obj/lessons/%/main.o $(LIB)
	$(link)
$(IDEA_PROGRAMS): $(OUT)/%-idea: $(OUT)/obj/lessons/%/idea.o $(LIB)
	$(link)
$(CLAIM_PROGRAMS): $(OUT)/%-claims: $(OUT)/obj/lessons/%/claims.o $(LIB)
	$(link)
$(foreach case,$(CASES),$(eval \
  $(OUT)/$(subst /,-,$(case)): $(OUT)/obj/lessons/$(case).o $(LIB)))
$(CASE_PROGRAMS):
	$(link)
$(TWIN_PROGRAMS): wrapping = $(THREAD_CHECK)
$(TWIN_PROGRAMS): $(OUT)/twins/%: $(OUT)/obj/lessons/%.o \
  $(call objects,$(THREAD_CHECK)) $(LIB)
	$(link)
$(TEST_PROGRAMS): wrapping = $(GRADER) $(THREAD_CHECK)
$(TEST_PROGRAMS): $(OUT)/%: $(OUT)/obj/%.o \
  $(call objects,$(GRADER) $(THREAD_CHECK)) $(DRIVER_LIB) $(LIB)
	$(link)
$(BENCH_PROGRAMS): $(OUT)/%: $(OUT)/obj/%.o \
  $(call objects,$(BENCH_PARTS)) $(LIB)
	$(link)
$(DEMO): $(call objects,$(DEMO_SOURCES))
	$(link)

$(OUT)/grader: $(OUT)/obj/exercises/grader/driver/main.o \
  $(OUT)/libdriver.a $(OUT)/libgrader.a $(call objects,$(DRIVER_MODULES))
	$(link)
$(OUT)/class: MORE_LIBS = @$(OUT)/archive.libs
$(OUT)/class: $(call objects,$(CLASS)) $(OUT)/archive.libs $(OUT)/libdriver.a \
  $(OUT)/libgrader.a $(LIB)
	$(link)

-include $(patsubst %.o,%.d,$(call objects,$(wildcard lessons/*/*.c bench/*.c \
  exercises/*/*.c exercises/grader/*/*.c exercises/grader/skeletons/*/*.c \
  tests/*.c)))

# ---- How far it is ---------------------------------------------------------

# Whoever waits for a program or a grade is told once how many files are
# compiled before, and on a terminal how many of them are done. TOTAL is that
# number; where there is nothing of the kind, each file is told as it comes.
# A make that this one starts goes on counting from BEFORE.
TOTAL :=
DONE :=
terminal = [ -t 1 ] && [ "$${TERM:-dumb}" != dumb ]
tell = $(if $(TOTAL),$(if $(filter CC,$(1)),$(count),:),echo '  $(1)  $(2)')
count = $(eval DONE += .)n=$$(($(BEFORE) + $(words $(DONE)))); \
  if [ $$n -le $(TOTAL) ] && $(terminal); then \
  printf '  %d of %d  %s\033[K\r' $$n $(TOTAL) '$(2)'; fi
clear = $(if $(TOTAL),if $(terminal); then printf '\033[K'; fi;)

# ---- Running ---------------------------------------------------------------

# Some systems must be asked to let a sanitizer start.
RUN = $(clear) $(if $(SAN),prefix=`sh tests/tools/sanitizer.sh` && $$prefix)
# `make demo | head` is no error.
UNLESS_CUT = || { status=$$?; [ $$status = 141 ] || exit $$status; }

.PHONY: demo lesson claims class test twins
demo: $(DEMO) ## 200 queries in four ways of waiting, on two disks
	@$(RUN) $(OUT)/demo $(ARGS) $(UNLESS_CUT)

LESSON := $(filter $(L) $(L)-% 0$(L)-%,$(LESSONS))
# Its idea, cases, claims and twins are built too, for the text names them. Of
# two % in a pattern the first is replaced, the second is left to filter.
LESSON_PARTS := $(filter $(LESSON:%=$(OUT)/%-%) $(LESSON:%=$(OUT)/twins/%/%),\
  $(IDEA_PROGRAMS) $(CASE_PROGRAMS) $(CLAIM_PROGRAMS) $(TWIN_PROGRAMS))
lesson: $(LESSON:%=$(OUT)/%) $(LESSON_PARTS) ## runs a lesson's program: make lesson L=03 ARGS=--help
	$(if $(LESSON),,$(error make lesson L=NN, with one of: $(LESSONS)))
	@$(RUN) $(OUT)/$(LESSON) $(ARGS) $(UNLESS_CUT)

# The checks that are scripts; those that run no program need no sanitizer.
CHECKS := programs twins $(if $(SAN),,includes deps_test make_test \
  $(patsubst tests/tools/%.sh,%,$(wildcard $(patsubst %,tests/tools/%.sh,\
  links minutes sizes texts) $(patsubst %,tests/tools/%_test.sh,\
  bench claims class class_archive class_mode class_report class_roster class_steps measure mutants queue_tool student vendor))))
ifneq ($(filter-out $(TESTS) $(CHECKS),$(T)),)
  $(error make test T=$(T): there is $(TESTS) $(CHECKS))
endif
test: all ## runs all tests; T=conn runs those of tests/test_conn.c, N=name one of them
	@ASQ_BUILD='$(abspath $(BUILD))' ASQ_BIN='$(abspath $(OUT))' \
	  ASQ_WARNINGS='$(WARNINGS)' sh tests/tools/run_tests.sh '$(N)' $(if $(T),$(T),$(TESTS) $(CHECKS))

# Tests that draw their steps. One of them is long enough by itself.
CAMPAIGN := $(filter-out conn_campaign,$(filter %_campaign %_random,$(TESTS)))
MINUTES = 1
.PHONY: campaign
campaign: $(CAMPAIGN:%=$(OUT)/tests/test_%) ## power cuts, faults and kills where seeds say: MINUTES=60 SEED=1
	@$(RUN) ASQ_BUILD='$(abspath $(BUILD))' ASQ_BIN='$(abspath $(OUT))' \
	  SEED='$(SEED)' sh tests/tools/campaign.sh '$(MINUTES)' $(CAMPAIGN)

CLAIM := $(if $(L),$(filter $(L) $(L)-% 0$(L)-%,$(CLAIMS)),$(CLAIMS))
claims: $(CLAIM:%=$(OUT)/%-claims) ## measures all claims and compares with docs/claims.md; L=03 those of one lesson
	$(if $(CLAIM),,$(error make claims L=NN, with one of: $(CLAIMS)))
	@$(RUN) $(if $(L),$(OUT)/$(CLAIM)-claims $(ARGS),\
	  sh bench/claims.sh $(CLAIM_PROGRAMS))

class: $(if $(LESSON),$(filter $(OUT)/$(LESSON) $(OUT)/$(LESSON)-% \
  $(OUT)/twins/$(LESSON)/%,$(LESSON_PROGRAMS) $(IDEA_PROGRAMS) $(CLAIM_PROGRAMS) \
  $(CASE_PROGRAMS) $(TWIN_PROGRAMS)) $(if $(filter 00-%,$(LESSON)),$(DEMO))) ## shows a lesson to a class: L=03; L=00 the first ten minutes
	$(if $(LESSON),,$(error make class L=NN, with one of: $(LESSONS)))
	@L='$(L)' sh bench/class.sh

twins: lesson-programs ## runs every wrong twin and shows how it goes wrong
	@sh tests/tools/twins.sh

# ---- Measuring -------------------------------------------------------------

.PHONY: bench bench-check bench-growth
BENCH_ARGS = $(if $(filter 1,$(QUICK)),--quick) $(if $(B),--only '$(B)') $(ARGS)
bench: $(BENCH_PROGRAMS) ## every workload in every way, as ratios; QUICK=1, B=read-64 one of them
	@$(RUN) $(OUT)/bench/bench $(BENCH_ARGS)
bench-check: $(BENCH_PROGRAMS) ## fails where a floor is missed or something grows that should not
	@$(RUN) $(OUT)/bench/bench --check $(BENCH_ARGS)
bench-growth: $(BENCH_PROGRAMS) ## how the cost grows, as a table and as charts; QUICK=1
	@$(RUN) $(OUT)/bench/growth $(BENCH_ARGS)
	@sh bench/charts.sh $(BUILD)

# ---- Exercises -------------------------------------------------------------

# The grader compiles and links a student's file itself, with the words that
# stand in this file; all else that it links is built here.
STUDENT_WARNINGS := -Wno-unused-parameter -Wno-unused-function
STUDENT_CFLAGS := -O1 -g -fno-omit-frame-pointer
# Only what the exercises of EX need is built: their tests, the grader, and the
# modules that they include. Without EX, or where EX names none, all are.
CHECKED := $(foreach ex,$(subst $(comma), ,$(EX)),\
  $(filter $(ex) $(ex)-% 0$(ex)-%,$(EXERCISES)))
ifeq ($(strip $(CHECKED)),)
  CHECKED := $(EXERCISES)
endif
CHECK_OBJECTS = $(CHECKED:%=$(OUT)/obj/exercises/%/check.o) \
  $(HIDDENS:%=$(OUT)/hidden/%/check.o) $(foreach name,$(CHECKED),$(MODULES_$(name)))
$(OUT)/grader.conf: $(OUT)/flags $(GRADER) $(THREAD_CHECK)
	@{ printf 'compile %s\n' $(CC) -std=c11 -D_POSIX_C_SOURCE=200809L \
	    -Ilessons $(filter-out -Werror,$(WARNINGS)) $(STUDENT_WARNINGS) \
	    $(SAN_FLAGS) $(STUDENT_CFLAGS) @$(OUT)/deps.cflags; \
	  printf 'link %s\n' $(CC) $(SAN_FLAGS) $(LDFLAGS); \
	  printf 'libs %s\n' $(call wraps,$(GRADER) $(THREAD_CHECK)) \
	    @$(OUT)/deps.libs -lpthread; \
	  $(if $(SAN),if prefix=`sh tests/tools/sanitizer.sh 2>&1`; then \
	    printf 'prefix %s\n' $$prefix; else echo "off $$prefix"; fi;) \
	} >$@.new
	@if cmp -s $@.new $@; then rm $@.new; touch $@; else mv $@.new $@; fi

# Hidden tests lie outside of the course: HIDDEN/NN-name/check.c.
ifneq ($(HIDDEN),)
  HIDDENS := $(patsubst $(HIDDEN)/%/check.c,%,\
    $(wildcard $(CHECKED:%=$(HIDDEN)/%/check.c)))
  ifeq ($(HIDDENS),)
    $(error HIDDEN=$(HIDDEN): there is no NN-name/check.c in it)
  endif
  export HIDDEN
endif
$(OUT)/hidden/%/check.o: $(HIDDEN)/%/check.c $(OUT)/flags
	@mkdir -p $(@D)
	@$(call tell,CC,$<)
	$(Q)$(COMPILE) -Iexercises -Iexercises/$* @$(OUT)/deps.cflags -c -o $@ $<

# An exercise has an archive of its own with the modules that it needs, or none
# if it needs no module. The same modules, so the same archive, with any EX.
define modules_for
SOURCES_$(1) := $(2)
MODULES_$(1) := $(if $(2),$(OUT)/exercises/$(1)/libmodules.a)
$(OUT)/exercises/$(1)/libmodules.a: $(call objects,$(2))
$(OUT)/exercises/$(1)/libmodules.a.list: MEMBERS = $(2)
endef
$(foreach name,$(CHECKED),$(eval $(call modules_for,$(name),$(call \
  modules_of,$(patsubst %,%/$(name)/check.c,exercises $(HIDDEN)) \
  exercises/$(name)/*.h))))
MODULE_ARCHIVES := $(foreach name,$(CHECKED),$(MODULES_$(name)))
$(if $(MODULE_ARCHIVES),$(eval $(call archives,$(MODULE_ARCHIVES))))

# The tests of an exercise are listed by a program that has the skeleton in
# it, so a student's file need not compile for that.
define table_of
$(OUT)/$(1)/list: $(OUT)/$(2)/check.o $(call objects,$(wildcard \
  exercises/grader/skeletons/$(notdir $(1))/ex_*.c)) $(OUT)/libgrader.a \
  $(MODULES_$(notdir $(1)))
endef
$(foreach name,$(CHECKED),$(eval \
  $(call table_of,exercises/$(name),obj/exercises/$(name))))
$(foreach name,$(HIDDENS),$(eval \
  $(call table_of,hidden/$(name),hidden/$(name))))
TABLES := $(CHECKED:%=$(OUT)/exercises/%/table) \
  $(HIDDENS:%=$(OUT)/hidden/%/table)
$(TABLES:%/table=%/list): wrapping = $(GRADER) $(THREAD_CHECK)
$(TABLES:%/table=%/list):
	$(link)
$(TABLES): %/table: %/list
	@$< --table >$@

# What a test under a sanitizer is linked with. Not all exercises have tests
# under the thread sanitizer.
PARTS := $(CHECKED:%=exercises/%/check.c) $(GRADER) \
  $(sort $(foreach name,$(CHECKED),$(SOURCES_$(name))))
TO_THREAD := $(shell grep -l TEST_THREAD $(CHECKED:%=exercises/%/check.c) \
  $(HIDDENS:%=$(HIDDEN)/%/check.c) /dev/null)

.PHONY: check check-plain check-address check-thread check-parts check-conf
.PHONY: check-objects
check-objects: $(CHECK_OBJECTS) $(OUT)/libgrader.a
check-conf: $(OUT)/grader.conf
check-parts: check-conf
	@if ! grep -q '^off ' $(OUT)/grader.conf; then \
	  $(MAKE) --no-print-directory SUB=1 check-objects; fi
check-plain: $(OUT)/grader $(OUT)/grader.conf $(TABLES) check-objects
# One after another: what is missing is asked for once, and counted through.
check-address: | check-plain
	@$(MAKE) --no-print-directory SUB=1 SAN=address,undefined \
	  TOTAL='$(TOTAL)' BEFORE='$(BEFORE_ADDRESS)' check-parts
check-thread: | check-address
	@$(MAKE) --no-print-directory SUB=1 SAN=thread \
	  TOTAL='$(TOTAL)' BEFORE='$(BEFORE_THREAD)' \
	  $(if $(TO_THREAD),check-parts,check-conf)
CHECK_ARGS = $(if $(HIDDEN),--hidden) $(if $(EX),--exercise '$(EX)') $(if $(TEST),--test '$(TEST)') \
  $(if $(SEED),--seed '$(SEED)') $(if $(TIME_SCALE),--time-scale '$(TIME_SCALE)')
check: check-plain check-address check-thread ## grades the exercises; EX=02 one of them, TEST=3 one test of it, SEED=41
	$(if $(SAN),$(error make check uses all sanitizers by itself: leave SAN out))
	@$(clear) $(GRADE) $(OUT)/grader $(CHECK_ARGS) $(ARGS) $(UNLESS_CUT)
# The version stands in a file of the hand-out.
GRADE = ASQ_COURSE=`cat VERSION 2>/dev/null || git describe --tags --always \
  --dirty 2>/dev/null || echo unknown`

# Some systems set NAME; only one that was given counts.
ifeq ($(origin NAME),command line)
  export NAME
else
  unexport NAME
endif
.PHONY: hint progress reset diff solution debug watch update doctor
TOOL = @EX='$(EX)' TEST='$(TEST)' SEED='$(SEED)' FORCE='$(FORCE)' \
  FROM='$(FROM)' UPTO='$(UPTO)' sh exercises/grader/tools
hint: ## shows the next of three hints: make hint EX=02
	$(TOOL)/hint.sh
progress: ## shows how far you are
	$(TOOL)/progress.sh
doctor: ## looks at whether this machine has what the course needs
	$(TOOL)/doctor.sh $(ARGS)
reset: ## puts the skeleton of EX=02 back and keeps a copy of what it replaces
	$(TOOL)/reset.sh
diff: ## shows what you have changed in EX=02
	$(TOOL)/diff.sh
solution: ## shows the solution of EX=02 once you have full points, or with FORCE=1
	$(TOOL)/solution.sh
debug: check-plain ## runs a test under a debugger, without limits: EX=02 TEST=3
	@$(OUT)/grader $(CHECK_ARGS) --quiet --state none \
	  --results $(OUT)/debug.json || [ $$? = 1 ]
	$(TOOL)/debug.sh
watch: ## grades again each time a file is saved; EX=02
	$(TOOL)/watch.sh
update: ## takes a new version of the course: FROM=archive-or-folder
	$(TOOL)/update.sh

# ---- For the teacher -------------------------------------------------------

.PHONY: handout handin grade check-grader check-graders check-hostile mutants
handout: ## makes an archive of the course for students; UPTO=04 ends at that lesson
	$(TOOL)/handout.sh
handin: ## makes an archive of your exercises and results; NAME=...
	$(TOOL)/handin.sh

grade: check-plain check-address check-thread $(OUT)/class ## grades a class: SUBMISSIONS=dir ROSTER=csv EX=01,02 HIDDEN=dir JOBS=n
	$(if $(SUBMISSIONS),,$(error make grade SUBMISSIONS=dir: where are they?))
	@$(GRADE) $(OUT)/class --submissions '$(SUBMISSIONS)' \
	  $(if $(EX),--exercises '$(EX)') $(if $(ROSTER),--roster '$(ROSTER)') $(if $(JOBS),--jobs '$(JOBS)') \
	  $(if $(SEED),--seed '$(SEED)') $(if $(HIDDEN),--hidden) \
	  $(if $(MARKS),--marks '$(MARKS)') $(if $(TWICE),--twice '$(TWICE)') \
	  $(if $(LATE_PERCENT),--late-percent '$(LATE_PERCENT)') \
	  $(if $(SECONDS_EACH),--seconds '$(SECONDS_EACH)') $(ARGS)
check-grader: check-plain check-address check-thread ## shows that make check says what it should
	@ASQ_BUILD=$(BUILD) sh tests/tools/check_test.sh
	@ASQ_BUILD=$(BUILD) sh tests/tools/mutants.sh 00-start
check-graders: check-plain check-address check-thread ## grades the grader: each wrong solution must be caught; EX=02
	@ASQ_BUILD=$(BUILD) sh tests/tools/graders.sh $(if $(EX),$(CHECKED))
mutants: check-plain check-address check-thread ## changes each thing in a solution once, and shows what no test sees: EX=02
	@ASQ_BUILD=$(BUILD) sh tests/tools/mutants.sh $(if $(EX),$(CHECKED))
check-hostile: check-plain check-address check-thread ## shows that hostile files get no points and do no harm
	@ASQ_BUILD=$(BUILD) sh tests/tools/hostile.sh

# ---- To take home ----------------------------------------------------------

# Everything else that it does happens in the shell: TO may have any letters.
.PHONY: vendor
vendor: $(if $(M),$(OUT)/flags) ## copies modules and what they need into a program of yours: TO=dir M=tx,shutdown; without M lists them
	@sh tools/vendor.sh

# ---- What is to be compiled ------------------------------------------------

# Of what the one goal needs, that which was never compiled. SUB: the make that
# has started this one has counted.
ifeq ($(SUB),)
  missing = $(filter-out $(wildcard $(1)),$(1))
  parts_in = $(patsubst %.c,$(OUT)/san-$(1)/obj/%.o,$(PARTS) $(2))
  MISSING_demo = $(call missing,$(call objects,$(DEMO_SOURCES)))
  MISSING_lesson = $(if $(LESSON),$(call missing,$(call objects,\
    $(LESSON:%=lessons/%/main.c) $(MODULES))))
  MISSING_class = $(if $(LESSON),$(call missing,$(sort $(call objects,\
    $(wildcard lessons/$(LESSON)/*.c) $(MODULES) $(if \
    $(filter 00-%,$(LESSON)),$(DEMO_SOURCES))))))
  MISSING_check = $(MISSING_PLAIN) $(MISSING_ADDRESS) $(MISSING_THREAD)
  MISSING_PLAIN = $(call missing,$(call objects,$(sort $(PARTS) $(DRIVER) \
    $(DRIVER_MODULES) exercises/grader/driver/main.c $(wildcard \
    $(CHECKED:%=exercises/grader/skeletons/%/ex_*.c)))))
  MISSING_ADDRESS = $(call missing,$(call parts_in,address-undefined))
  MISSING_THREAD = $(if $(TO_THREAD),$(call missing,$(call \
    parts_in,thread,exercises/grader/thread_check.c)))
  MISSING := $(strip $(MISSING_$(MAKECMDGOALS)))
  ifneq ($(MISSING),)
    TOTAL := $(words $(MISSING))
    BEFORE := 0
    ifeq ($(MAKECMDGOALS),check)
      BEFORE_ADDRESS := $(words $(MISSING_PLAIN))
      BEFORE_THREAD := $(words $(MISSING_PLAIN) $(MISSING_ADDRESS))
    endif
  endif
endif

# ---- Looking after the tree ------------------------------------------------

.PHONY: format format-check clean help help-all
# Versions of clang-format differ in their layout; ours is 14.
clang_format = @for tool in clang-format-14 clang-format; do \
    case `$$tool --version 2>/dev/null` in *"version 14."*) \
      find $(wildcard lessons exercises solutions bench tests tools) \
        -name '*.[ch]' -exec $$tool $(1) {} +; exit;; \
    esac; \
  done; echo 'not checked  the layout: there is no clang-format 14'
format: ## lays out all C files (clang-format 14)
	$(call clang_format,-i)
format-check: ## says which C files are not laid out so
	$(call clang_format,--dry-run -Werror)

clean: ## removes what was built
	@[ ! -d $(BUILD) ] || case `pwd -P`/ in "`cd $(BUILD) && pwd -P`"/*) \
	  echo 'BUILD=$(BUILD) holds the course itself: not removed' >&2; exit 2;; \
	esac
	@rm -rf $(BUILD)

# The commands of a student, those of them that exist, and all others.
STUDENT := demo|lesson|check|hint|progress|doctor
show = sed -En 's/^([a-z-]+):.*\#\# (.*)/\1|\2/p' Makefile | awk -F'|' \
  '($$1 ~ /^($(STUDENT))$$/) == $(1) {printf "  make %-13s %s\n", $$1, $$2}'
help: ## shows the commands of a student
	@$(call show,1)
	@echo '  make help-all      shows the other commands'
help-all: ## shows the other commands and the settings
	@$(call show,0)
	@echo; sed -n 's/^#   /  /p' Makefile
