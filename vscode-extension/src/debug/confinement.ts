import * as fs from 'node:fs';
import * as vscode from 'vscode';
import { isRecording } from './candidates';

/**
 * What `ttvm dap` is locked in to where a recording is replayed: that, and what its configuration names. A recording may come from anybody, and what is in it is decoded
 * and run. A guest that is started writes a recording wherever the configuration says, and is the user's own.
 */
export class Confinement implements vscode.Disposable {
    /** Files of bookmarks that were made for sessions, with how many sessions may write them. */
    private readonly made = new Map<string, number>();
    private readonly subscription = vscode.debug.onDidTerminateDebugSession(session => this.release(session));
    private readonly held = new Map<string, string>();

    dispose(): void { this.subscription.dispose(); }

    /** The options that say so. */
    async optionsFor({ id, configuration }: vscode.DebugSession): Promise<string[]> {
        const { request, program, sandbox, symbols, layouts, printers } = configuration;
        if (request !== 'launch' || process.platform !== 'linux' || !await isRecording(program)) return [];
        if (sandbox === false) {
            void vscode.window.showWarningMessage(`"sandbox" is false: a bad recording can reach all your files ("${configuration.name}").`);
            return [];
        }
        this.hold(id, `${program}.bookmarks.json`);
        const others = [symbols, layouts, printers].flat().filter(name => typeof name === 'string' && name !== '');
        return ['--only', program, ...others.flatMap(name => ['--only-read', name])];
    }

    /** Bookmarks can be written only in a file that there is already; one that stays empty counts as none, and goes with the last session. */
    private hold(id: string, file: string): void {
        try {
            if (!this.made.has(file)) fs.closeSync(fs.openSync(file, 'wx'));
        } catch {
            // There is one, or none can be made here.
            return;
        }
        this.held.set(id, file);
        this.made.set(file, (this.made.get(file) ?? 0) + 1);
    }

    private release({ id }: vscode.DebugSession): void {
        const file = this.held.get(id);
        if (!file || !this.held.delete(id)) return;
        const left = (this.made.get(file) ?? 1) - 1;
        if (left > 0) return void this.made.set(file, left);
        this.made.delete(file);
        try {
            if (fs.statSync(file).size === 0) fs.unlinkSync(file);
        } catch {
            // It is gone already.
        }
    }
}
