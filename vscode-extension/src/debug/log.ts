import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

/** What the debug server writes down: the setting `ttvm.logLevel`. */
export function logLevel(): string { return vscode.workspace.getConfiguration('ttvm').get<string>('logLevel', 'none'); }

/** Where it does. */
export function logFile(context: vscode.ExtensionContext): string { return path.join(context.logUri.fsPath, 'ttvm.log'); }

/** The command that opens it; where there is none yet, it says how to get one. */
export function registerShowLog(context: vscode.ExtensionContext): void {
    context.subscriptions.push(vscode.commands.registerCommand('ttvm.showLog', async () => {
        const file = logFile(context);
        if (fs.existsSync(file)) return void await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
        const set = 'Open the Setting';
        const problem = logLevel() === 'none' ? 'Nothing is logged: the setting ttvm.logLevel is none.' : 'Nothing has been logged yet: start debugging.';
        if (await vscode.window.showInformationMessage(problem, set) === set) await vscode.commands.executeCommand('workbench.action.openSettings', 'ttvm.logLevel');
    }));
}
