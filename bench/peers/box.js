// box - counts the operations of a run, for the peers that run on Node
//
// Called by bench: WORKLOAD FILE CLIENTS MILLISECONDS OPERATIONS ITEMS. Runs
// until the time is up, or so many operations; 0 milliseconds mean no time
// limit. Prints the operations, the sum of their answers, and the nanoseconds.
'use strict';

const [workload, path, ...numbers] = process.argv.slice(2);
const [clients, milliseconds, operations, items] = numbers.map(Number);
const spread = 2654435761 % items; // as in operations.c, in 53 bits

exports.sql = {
    read: 'SELECT value FROM items WHERE id = ?',
    insert: 'INSERT INTO log (value) VALUES (1)',
    stream: 'SELECT id, value FROM numbers ORDER BY id',
    warm: 'SELECT sum(value) FROM items',
};
exports.chunk = 1000;
exports.arguments = {workload, path, clients};

let asked = 0, answered = 0, sum = 0n;
let begin, end;

exports.begin = () => {
    begin = process.hrtime.bigint();
    end = milliseconds > 0 ? begin + BigInt(milliseconds) * 1000000n : null;
};

// The number of the next operation, or -1 when the box is over.
exports.ask = () => {
    if (asked >= operations || (end && process.hrtime.bigint() >= end))
        return -1;
    return asked++;
};

exports.item = number => (number % items) * spread % items + 1;

exports.answer = value => {
    answered++;
    sum += BigInt(value);
};

exports.print = () => console.log(
    `${answered} ${sum} ${process.hrtime.bigint() - begin}`);
