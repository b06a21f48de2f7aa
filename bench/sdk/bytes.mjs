// The SDK's receive path for payloads of bytes, in Node, beside bare handlers of an ArrayBuffer.
//
//   node bench/sdk/bytes.mjs [--rounds=15] [--bytes=1024,65536] [--json=FILE]
//
// "view" makes a Uint8Array of what arrives and calls the handler: no channel, no type, no offset. "bare" reads the line
// before the payload as JSON, and calls the handler of its channel with a view of the bytes behind it. Both, and the SDK,
// are sent the same messages. "in memory" is from onmessage to the handler; "socket" is the whole process for messages over
// loopback, with ws as the WebSocket. Both are CPU time. Each client has a process of its own, and all take turns.

import {fork} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {figuresOf} from './report.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const {values: given} = parseArgs({options: {
    rounds: {type: 'string', default: '15'},
    bytes: {type: 'string', default: '1024,65536'},
    json: {type: 'string', default: join(root, 'build/bench/sdk-bytes.json')},
}});
const rounds = Number(given.rounds);
// The first rounds of a client run code that is not compiled yet.
const warmUpRounds = 5;
const answerMs = 60_000;
const subjects = ['pulsewire', 'bare', 'view'];
const ways = ['in memory', 'socket'];

const processes = [];
let lose;
const lost = new Promise((_, reject) => (lose = reject));
function start(...args) {
    const child = fork(fileURLToPath(new URL('bytes_process.mjs', import.meta.url)), args, {execArgv: ['--expose-gc']});
    child.on('exit', () => lose(new Error(`the process '${args[0]}' has ended`)));
    processes.push(child);
    return child;
}
async function answer(child) {
    const timer = setTimeout(() => lose(new Error('a process does not answer')), answerMs);
    const value = await Promise.race([new Promise((resolve) => child.once('message', resolve)), lost]);
    clearTimeout(timer);
    return value;
}

try {
    const port = await answer(start('server'));
    const clients = {};
    for (const name of subjects) {
        clients[name] = start(name, `${port}`);
        await answer(clients[name]);
    }
    const results = [];
    for (const bytes of given.bytes.split(',').map(Number)) {
        for (const way of ways) {
            const nanoseconds = Object.fromEntries(subjects.map((name) => [name, []]));
            for (let round = -warmUpRounds; round < rounds; round++) {
                for (const name of subjects) {
                    clients[name].send({bytes, way});
                    const took = await answer(clients[name]);
                    if (round >= 0) nanoseconds[name].push(took);
                }
            }
            results.push({bytes, way, nanoseconds});
            console.log(`\n${bytes} bytes, ${way}: nanoseconds per message`);
            console.log(`  ${''.padEnd(12)}${['least', 'median', 'SDK ÷ it', 'median of ÷'].map((head) => head.padStart(13)).join('')}`);
            for (const name of subjects) {
                const own = figuresOf(nanoseconds[name], nanoseconds[name]);
                const {ratioOfMins, medianRatio} = figuresOf(nanoseconds.pulsewire, nanoseconds[name]);
                const cells = [Math.round(own.min), Math.round(own.median), ratioOfMins.toFixed(2), medianRatio.toFixed(2)];
                console.log(`  ${name.padEnd(12)}${cells.map((cell) => `${cell}`.padStart(13)).join('')}`);
            }
        }
    }
    mkdirSync(join(given.json, '..'), {recursive: true});
    writeFileSync(given.json, JSON.stringify({rounds, node: process.version, results}, null, 1));
} finally {
    for (const child of processes) child.kill();
}
