import * as path from 'node:path';
import * as vscode from 'vscode';
import { findServer, runJson } from '../server';
import { messageOf } from '../text';
import { webviewHtml } from '../views/html';

/** What the script of the editor gets. */
export interface RecordingSummary { name: string; folder: string; info?: unknown; console?: string; problem?: string }

/** Shows what a .ttvm file is: machine, run, outcome, the guest's last lines; with a button that replays it. */
export class RecordingEditor implements vscode.CustomReadonlyEditorProvider {
    constructor(private readonly context: vscode.ExtensionContext) { }

    openCustomDocument(uri: vscode.Uri): vscode.CustomDocument { return { uri, dispose() { } }; }

    resolveCustomEditor(document: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
        const { webview } = panel;
        webview.options = { enableScripts: true, localResourceRoots: [this.context.extensionUri] };
        webview.html = webviewHtml(webview, this.context.extensionUri, 'recording', path.basename(document.uri.fsPath));
        const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(document.uri, '..'), path.basename(document.uri.fsPath)));
        const refresh = () => void this.send(document.uri, webview);
        watcher.onDidChange(refresh);
        watcher.onDidCreate(refresh);
        panel.onDidDispose(() => watcher.dispose());
        webview.onDidReceiveMessage((message: { type: string }) => {
            if (message.type === 'ready') refresh();
            else if (message.type === 'replay') void vscode.commands.executeCommand('ttvm.replay', document.uri);
            else if (message.type === 'verify') void vscode.commands.executeCommand('ttvm.verify', document.uri);
        });
    }

    private async send(uri: vscode.Uri, webview: vscode.Webview): Promise<void> {
        const summary: RecordingSummary = { name: path.basename(uri.fsPath), folder: path.dirname(uri.fsPath) };
        try {
            if (uri.scheme !== 'file') throw new Error('Only recordings on this machine can be opened.');
            const server = findServer(this.context.extensionPath);
            const console = runJson<{ text: string }>(server, ['console', uri.fsPath, '--json']).then(answer => answer.text, () => '');
            summary.info = await runJson(server, ['info', uri.fsPath, '--json']);
            summary.console = await console;
        } catch (error) {
            summary.problem = messageOf(error);
        }
        await webview.postMessage({ type: 'summary', summary });
    }
}
