import * as vscode from 'vscode';
import { findServer } from '../server';

/** Starts `ttvm dap` for a launch; connects to what listens already for an attach. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
    constructor(private readonly context: vscode.ExtensionContext) { }

    createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
        const { request, port, pipe } = session.configuration as vscode.DebugConfiguration & { port?: number; pipe?: string };
        if (request === 'attach' && typeof pipe === 'string') return new vscode.DebugAdapterNamedPipeServer(pipe);
        if (request === 'attach' && typeof port === 'number') return new vscode.DebugAdapterServer(port, '127.0.0.1');
        const server = findServer(this.context.extensionPath);
        return new vscode.DebugAdapterExecutable(server.command, [...server.prefix, 'dap'], { cwd: session.workspaceFolder?.uri.fsPath });
    }
}
