// better_sqlite3_peer - the workloads of the benchmark through better-sqlite3
//
// It blocks: one operation after the other. box.js says how it is called.
//
//     node bench/peers/better_sqlite3_peer.js --version
'use strict';

const Database = require('better-sqlite3');
const box = require('./box.js');

const {workload, path} = box.arguments;

function readItems(db) {
    const read = db.prepare(box.sql.read).pluck();

    for (let n = box.ask(); n >= 0; n = box.ask())
        box.answer(read.get(box.item(n)));
}

function insertRows(db) {
    const insert = db.prepare(box.sql.insert);

    while (box.ask() >= 0)
        box.answer(insert.run().changes);
}

function streamNumbers(db) {
    const rows = db.prepare(box.sql.stream).raw().iterate();

    while (box.ask() >= 0) {
        let sum = 0;

        for (let i = 0; i < box.chunk; i++) {
            const [id, value] = rows.next().value;

            sum += id + value;
        }
        box.answer(sum);
    }
    rows.return();
}

const workloads = {
    'read-64': readItems,
    'commit-64-normal': insertRows,
    'stream': streamNumbers,
};

if (process.argv[2] === '--version') {
    const name = require('better-sqlite3/package.json').version;
    const sqlite = new Database(':memory:')
        .prepare('SELECT sqlite_version()').pluck().get();

    console.log(`better-sqlite3 ${name}, Node ${process.versions.node}, ` +
        `SQLite ${sqlite}`);
} else {
    const db = new Database(path);

    db.pragma('synchronous = NORMAL');
    db.pragma('cache_size = -40000');
    if (workload === 'read-64')
        db.prepare(box.sql.warm).get();
    box.begin();
    workloads[workload](db);
    box.print();
    db.close();
}
