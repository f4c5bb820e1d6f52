#!/bin/sh
# queue_tool_test.sh - checks the queue that a script can use
#
#   sh queue_tool_test.sh
#
# The program is $ASQ_BIN/14-task-queue. Every worker here ends by itself, with
# --until-empty, or is ended by its id.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

make_folder
file=$folder/jobs.db

said=$folder/said

# tool ARGUMENT ...: what the program says, and its status.
tool() {
    sh "$tools/limit.sh" 30 "$ASQ_BIN/14-task-queue" "$@" >"$said" 2>&1 \
        </dev/null
    status=$?
}

# Wrong use

tool --put
expect put_wants_a_file 2 'lines: 1' 'a file is missing after --put'
tool --work "$file"
expect work_wants_a_command 2 'lines: 1' 'a command is missing'
tool --work "$file" --lanes 17 -- true
expect lanes_have_a_limit 2 'lines: 1' '--lanes is 1 to 16, not 17'
tool --list "$file" surplus
expect list_takes_a_file_only 2 'lines: 1' 'one too many: surplus'
tool --put "$file" --wrong
expect an_option_that_does_not_exist 2 'lines: 1' 'there is no option --wrong'
tool --list "$file" --queue
expect an_option_without_its_value 2 'lines: 1' 'missing after --queue'
tool --list "$folder/none.db"
expect a_file_that_is_missing 1 'lines: 1' 'none.db' 'unable to open'
tool --put "$folder/none/none.db" x
expect a_folder_that_is_missing 1 'lines: 1' 'unable to open'
tool --put --help
expect it_explains_itself 0 '--until-empty' '--who FILE'

# Put, list, work

tool --put "$file" first
expect put_prints_the_id 0 'last: 1'
tool --put "$file" --queue other second
expect queues_share_a_file 0 'last: 2'
printf 'a line\nand another' |
    "$ASQ_BIN/14-task-queue" --put "$file" >"$said" 2>&1
status=$?
expect put_reads_standard_input 0 'last: 3'
head -c 1048577 /dev/zero |
    "$ASQ_BIN/14-task-queue" --put "$file" >"$said" 2>&1
status=$?
expect a_payload_has_a_limit 1 'lines: 1' 'the job was not put: '
tool --list "$file"
expect list_shows_what_waits 0 'lines: 3' '1	default	ready	0/5' \
    '2	other	ready	0/5'
tool --work "$file" --until-empty -- sh -c 'printf "<%s>\n" "$(cat)"'
expect each_payload_is_an_input 0 'lines: 3' '<first>' '<a line' 'and another>'
tool --list "$file"
expect the_other_queue_is_left_alone 0 'lines: 1' 'other	ready'
tool --work "$file" --queue other --until-empty --lanes 3 -- true
expect a_command_need_not_read 0 'lines: 0'
tool --list "$file"
expect what_is_done_is_not_listed 0 'lines: 0'

# A command that fails

tool --put "$file" fails
tool --work "$file" -- "$folder/no-such-command"
expect a_command_that_is_missing_ends_it 1 'no-such-command: no such file'
tool --list "$file"
expect its_job_waits 0 'lines: 1' 'delayed	1/5	until '

# A worker that is asked to end while its command runs. The command says that it
# has begun, and ends when it is told to.

mkfifo "$folder/begun" "$folder/end"
tool --put "$file" --queue held one
tool --put "$file" --queue held two
"$ASQ_BIN/14-task-queue" --work "$file" --queue held -- \
    sh -c 'echo >"$0"; read -r line <"$1"' "$folder/begun" "$folder/end" \
    >"$folder/worker" 2>&1 </dev/null &
worker=$!
read -r line <"$folder/begun"
tool --who "$file"
expect who_names_the_holder 0 'lines: 1' "$worker-" 'held	5	1/5'
kill -TERM "$worker"
echo >"$folder/end"
wait "$worker"
status=$?
cp "$folder/worker" "$said"
expect it_ends_after_its_command 0 'lines: 0'
tool --who "$file"
expect nobody_holds_it_afterwards 0 'lines: 0'
tool --list "$file"
expect the_next_job_was_not_begun 0 'lines: 2' '6	held	ready	0/5'

finish
