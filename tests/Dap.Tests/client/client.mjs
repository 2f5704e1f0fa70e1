// Drives `ttvm dap --server` with Microsoft's @vscode/debugadapter-testsupport: node client.mjs TTVM.DLL RECORDING
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const { DebugClient } = createRequire(import.meta.url)('@vscode/debugadapter-testsupport');
const [program, recording] = process.argv.slice(2);
const deposit = '0xffffffff80102ccb', balance = '0xffffffff80104658';

const server = spawn('dotnet', [program, 'dap', '--server', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
const port = await new Promise((resolve, reject) => {
  server.stderr.on('data', text => {
    const found = /listening on 127\.0\.0\.1:(\d+)/.exec(text);
    if (found) resolve(Number(found[1]));
  });
  server.on('exit', code => reject(new Error(`ttvm ended with ${code}`)));
});

const client = new DebugClient('unused', 'unused', 'ttvm');
client.defaultTimeout = 20000;
await client.start(port);
const stopAfter = async act => {
  const stopped = client.waitForEvent('stopped');
  await act();
  return (await stopped).body;
};
const rip = async () => (await client.stackTraceRequest({ threadId: 1 })).body.stackFrames[0].instructionPointerReference;

const initialized = client.waitForEvent('initialized');
const capabilities = (await client.initializeRequest()).body;
assert.equal(capabilities.supportsStepBack, true);
await client.launchRequest({ program: recording });
await initialized;
assert.equal((await stopAfter(() => client.configurationDoneRequest())).reason, 'entry');

await client.customRequest('setInstructionBreakpoints', { breakpoints: [{ instructionReference: deposit }] });
assert.equal((await stopAfter(() => client.continueRequest({ threadId: 1 }))).reason, 'instruction breakpoint');
assert.equal(await rip(), deposit);
await stopAfter(() => client.nextRequest({ threadId: 1 }));
assert.notEqual(await rip(), deposit);
await stopAfter(() => client.stepBackRequest({ threadId: 1 }));
assert.equal(await rip(), deposit);
await client.customRequest('setInstructionBreakpoints', { breakpoints: [] });
assert.equal((await stopAfter(() => client.continueRequest({ threadId: 1 }))).reason, 'end');

const info = (await client.customRequest('dataBreakpointInfo', { name: balance, bytes: 8, asAddress: true })).body;
await client.customRequest('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
assert.equal((await stopAfter(() => client.reverseContinueRequest({ threadId: 1 }))).reason, 'data breakpoint');
const frame = (await client.stackTraceRequest({ threadId: 1 })).body.stackFrames[0];
const scopes = (await client.scopesRequest({ frameId: frame.id })).body.scopes;
assert.deepEqual(scopes.slice(0, 3).map(scope => scope.name), ['Locals', 'Globals', 'Registers']);
assert.equal((await client.variablesRequest({ variablesReference: scopes[2].variablesReference })).body.variables[0].name, 'rax');
const memory = await client.customRequest('readMemory', { memoryReference: balance, count: 16 });
assert.equal(Buffer.from(memory.body.data, 'base64').length, 16);
const code = await client.disassembleRequest({ memoryReference: frame.instructionPointerReference, instructionOffset: -200, instructionCount: 400 });
assert.equal(code.body.instructions.length, 400);
assert.equal(BigInt(code.body.instructions[200].address), BigInt(frame.instructionPointerReference));
await assert.rejects(client.customRequest('nosuch'), /not supported/);
await client.disconnectRequest();
await new Promise(resolve => (server.exitCode === null ? server.on('exit', resolve) : resolve()));
assert.equal(server.exitCode, 0);
console.log('OK');
process.exit(0);
