// node_sqlite3_peer - the workloads of the benchmark through node-sqlite3
//
// It calls back, from libuv's pool of threads. box.js says how it is called.
//
//     node bench/peers/node_sqlite3_peer.js --version
'use strict';

const sqlite3 = require('sqlite3');
const box = require('./box.js');

const {workload, path, clients} = box.arguments;

function must(error) {
    if (error)
        throw error;
}

// Each client asks, waits for its answer, and asks again.
function serveClients(statement, ask, done) {
    let waiting = 0;

    function client() {
        const n = box.ask();

        if (n < 0)
            return waiting === 0 && statement.finalize(done);
        waiting++;
        ask(n, answer => {
            waiting--;
            box.answer(answer);
            client();
        });
    }
    for (let i = 0; i < clients; i++)
        client();
}

function readItems(db, done) {
    const read = db.prepare(box.sql.read);

    serveClients(read, (n, answer) => read.get(box.item(n), (error, row) => {
        must(error);
        answer(row.value);
    }), done);
}

function insertRows(db, done) {
    const insert = db.prepare(box.sql.insert);

    serveClients(insert, (n, answer) => insert.run(function (error) {
        must(error);
        answer(this.changes);
    }), done);
}

// It has no chunks: each row is a callback.
function streamNumbers(db, done) {
    let rows = 0, sum = 0;

    db.each(box.sql.stream, (error, row) => {
        must(error);
        sum += row.id + row.value;
        if (++rows % box.chunk === 0 && box.ask() >= 0) {
            box.answer(sum);
            sum = 0;
        }
    }, error => {
        must(error);
        done();
    });
}

const workloads = {
    'read-64': readItems,
    'commit-64-normal': insertRows,
    'stream': streamNumbers,
};

function main() {
    const db = new sqlite3.Database(path);

    db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -40000', must);
    db.get(workload === 'read-64' ? box.sql.warm : 'SELECT 1', error => {
        must(error);
        box.begin();
        workloads[workload](db, () => {
            box.print();
            db.close(must);
        });
    });
}

if (process.argv[2] === '--version')
    console.log(`node-sqlite3 ${require('sqlite3/package.json').version}, ` +
        `Node ${process.versions.node}, SQLite ${sqlite3.VERSION}`);
else
    main();
