// node run.mjs EXTENSION.vsix RESULTS [SCENARIO...]: runs scenarios; writes RESULTS/results.json and screenshots.
// node run.mjs --list: their names.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { files, preparations, scenarios, settings } from './scenarios.mjs';
import { launchBrowser, Server, Workbench } from './vscode.mjs';

const repository = path.resolve(import.meta.dirname, '../../..');
const [vsix, results, ...wanted] = process.argv.slice(2);
if (vsix === '--list') {
    console.log(Object.keys(scenarios).join('\n'));
    process.exit();
}
const shots = path.join(results, 'screenshots');
fs.mkdirSync(shots, { recursive: true });
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'ttvm-vscode-'));
const outcome = {};
const server = await Server.start(work, vsix);
const browser = await launchBrowser();
try {
    for (const name of wanted.length > 0 ? wanted : Object.keys(scenarios)) {
        const started = Date.now();
        outcome[name] = await runOne(name).then(() => ({ passed: true }), error => ({ passed: false, message: String(error?.stack ?? error) }));
        outcome[name].seconds = (Date.now() - started) / 1000;
        console.log(`${outcome[name].passed ? 'passed' : 'FAILED'} ${name} (${outcome[name].seconds.toFixed(1)} s)${outcome[name].passed ? '' : `\n${outcome[name].message}`}`);
        fs.writeFileSync(path.join(results, 'results.json'), JSON.stringify(outcome, null, 1));
    }
} finally {
    await browser.close();
    await server.stop();
    fs.rmSync(work, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
}
process.exit(Object.values(outcome).every(each => each.passed) ? 0 : 1);

async function runOne(name) {
    const folder = path.join(work, name);
    fs.mkdirSync(folder);
    fs.copyFileSync(path.join(repository, 'traces/demo64-lost-update.ttvm'), path.join(folder, 'demo.ttvm'));
    fs.cpSync(path.join(repository, 'guests/demo64'), path.join(folder, 'demo64'), { recursive: true });
    for (const [file, content] of Object.entries(files[name] ?? {})) {
        fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        fs.writeFileSync(path.join(folder, file), content);
    }
    server.configure(settings[name] ?? {});
    const prepared = await preparations[name]?.(folder, server.bundled('server/ttvm')) ?? {};
    let window;
    try {
        window = Object.assign(await Workbench.open(browser, server, folder, shots), prepared);
        await scenarios[name](window);
        const ours = window.errors.filter(error => /ttvm|webview/i.test(error));
        if (ours.length > 0) throw new Error(`errors in the page: ${ours.join('; ')}`);
    } catch (error) {
        await window?.shot(`FAILED-${name}`).catch(() => { });
        throw error;
    } finally {
        await window?.close();
        if (prepared.recorder?.exitCode === null) prepared.recorder.kill('SIGKILL');
    }
}
