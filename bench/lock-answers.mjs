// How long the debug adapter takes to answer `ttvm/locks` at random stops of a recording, before its past of locks is known and after.
//
//   node bench/lock-answers.mjs TTVM RECORDING.ttvm [STOPS] [SEED]
//
// TTVM is the program, or ttvm.dll. Stops are random positions of the second half, where a kernel is up; the first answer, which finds the locks, is told apart.

import { spawn } from 'node:child_process';

const [program, recording, stops = '50', seed = '1'] = process.argv.slice(2);
const server = program.endsWith('.dll') ? spawn('dotnet', [program, 'dap']) : spawn(program, ['dap']);
server.stderr.pipe(process.stderr);
let buffer = Buffer.alloc(0), sequence = 0, random = Number(seed);
const waiting = new Map();
let moved;

server.stdout.on('data', data => {
    buffer = Buffer.concat([buffer, data]);
    for (;;) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/Content-Length: (\d+)/.exec(buffer.toString('latin1', 0, end))[1]);
        if (buffer.length < end + 4 + length) return;
        const message = JSON.parse(buffer.toString('utf8', end + 4, end + 4 + length));
        buffer = buffer.subarray(end + 4 + length);
        if (message.event === 'ttvm/moved') moved?.();
        if (message.type !== 'response') continue;
        waiting.get(message.request_seq)?.(message);
        waiting.delete(message.request_seq);
    }
});

function ask(command, args = {}) {
    const content = JSON.stringify({ seq: ++sequence, type: 'request', command, arguments: args });
    const answer = new Promise((resolve, reject) => waiting.set(sequence, message => message.success ? resolve(message.body) : reject(new Error(`${command}: ${message.message}`))));
    server.stdin.write(`Content-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}`);
    return answer;
}

// A linear congruential generator: the same stops each time.
function next() {
    random = (random * 1103515245 + 12345) % 2147483648;
    return random / 2147483648;
}

async function measure(title, positions) {
    const times = [];
    let locks = 0, waits = 0;
    const past = {};
    for (const position of positions) {
        await ask('ttvm/seek', { position });
        const began = performance.now();
        const answer = await ask('ttvm/locks');
        times.push(performance.now() - began);
        locks += answer.locks.length;
        waits += answer.locks.filter(lock => lock.state === 'contended').length;
        past[answer.past] = (past[answer.past] ?? 0) + 1;
    }
    const sorted = [...times].sort((a, b) => a - b), at = part => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1);
    console.log(`${title}: median ${at(0.5)} ms, 90 % ${at(0.9)} ms, longest ${at(1)} ms; ${locks} locks, ${waits} contended, past ${JSON.stringify(past)}`);
}

await ask('initialize', { adapterID: 'ttvm' });
await ask('launch', { program: recording, at: '60%' });
// As an editor does, which asks when it is told that the machine stands.
const stands = new Promise(resolve => { moved = resolve; });
await ask('configurationDone');
await stands;
let began = performance.now();
let first = await ask('ttvm/locks');
console.log(`first answer: ${(performance.now() - began).toFixed(1)} ms, ${first.locks.length} locks${first.problem ? `, '${first.problem}'` : ''}`);
while (/looked for/.test(first.problem ?? '')) {
    await new Promise(resolve => setTimeout(resolve, 20));
    first = await ask('ttvm/locks');
}
console.log(`the locks themselves: after ${(performance.now() - began).toFixed(1)} ms, ${first.locks.length} locks`);
const positions = Array.from({ length: Number(stops) }, () => `${(50 + next() * 50).toFixed(6)}%`);
await measure('as it is learnt', positions);
began = performance.now();
for (;;) {
    const { isComplete, problem } = await ask('ttvm/lockFindings');
    if (problem) throw new Error(problem);
    if (isComplete) break;
    await new Promise(resolve => setTimeout(resolve, 200));
}
console.log(`all known after another ${((performance.now() - began) / 1000).toFixed(1)} s`);
await measure('with the past', positions);
server.kill();
