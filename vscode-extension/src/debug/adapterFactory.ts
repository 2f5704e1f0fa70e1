import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { findServer } from '../server';
import type { Confinement } from './confinement';
import { logFile, logLevel } from './log';

/** Starts `ttvm dap` for a launch; connects to what listens already for an attach. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
    constructor(private readonly context: vscode.ExtensionContext, private readonly confinement: Confinement) { }

    async createDebugAdapterDescriptor(session: vscode.DebugSession): Promise<vscode.DebugAdapterDescriptor> {
        const { request, port, pipe } = session.configuration as vscode.DebugConfiguration & { port?: number; pipe?: string };
        if (request === 'attach' && typeof pipe === 'string') return new vscode.DebugAdapterNamedPipeServer(pipe);
        if (request === 'attach' && typeof port === 'number') return new vscode.DebugAdapterServer(port, '127.0.0.1');
        const server = findServer(this.context.extensionPath);
        const options = [...this.logging(), ...await this.confinement.optionsFor(session)];
        return new vscode.DebugAdapterExecutable(server.command, [...server.prefix, 'dap', ...options], { cwd: session.workspaceFolder?.uri.fsPath });
    }

    private logging(): string[] {
        const level = logLevel();
        if (level === 'none') return [];
        const file = logFile(this.context);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        return ['--log-level', level, '--log-file', file];
    }
}
