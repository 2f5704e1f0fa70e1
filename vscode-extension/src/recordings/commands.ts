import * as path from 'node:path';
import * as vscode from 'vscode';
import { configurationOf } from '../debug/candidates';
import { findServer } from '../server';
import { messageOf } from '../text';
import { Comparisons } from './compare';

/** Commands on recordings as files. */
export function registerRecordingCommands(context: vscode.ExtensionContext): void {
    const add = (id: string, action: (uri: vscode.Uri | undefined) => Promise<unknown>) => context.subscriptions.push(
        vscode.commands.registerCommand(id, (uri?: unknown) => action(uri instanceof vscode.Uri ? uri : undefined)));

    add('ttvm.replay', async uri => {
        const file = uri ?? await chooseRecording();
        if (file) await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(file), configurationOf({ file, isRecording: true }));
    });
    add('ttvm.verify', async uri => {
        const file = uri ?? await chooseRecording();
        if (file) await run(context, `verify ${path.basename(file.fsPath)}`, ['verify', file.fsPath], vscode.workspace.getWorkspaceFolder(file));
    });
    context.subscriptions.push(new Comparisons(context, chooseRecording));
    add('ttvm.createDemo', async () => {
        const folder = vscode.workspace.workspaceFolders?.[0];
        if (!folder) return vscode.window.showInformationMessage('Open a folder first: the demo recording is put there.');
        await run(context, 'demo', ['demo', '--output', path.join(folder.uri.fsPath, 'demo.ttvm')], folder);
    });
}

/** Shows a verb of ttvm in a terminal. */
async function run(context: vscode.ExtensionContext, name: string, args: string[], folder: vscode.WorkspaceFolder | undefined): Promise<void> {
    try {
        const server = findServer(context.extensionPath);
        const execution = new vscode.ProcessExecution(server.command, [...server.prefix, ...args], { cwd: folder?.uri.fsPath });
        const task = new vscode.Task({ type: 'ttvm', output: name }, folder ?? vscode.TaskScope.Workspace, name, 'ttvm', execution, []);
        task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true, focus: false };
        await vscode.tasks.executeTask(task);
    } catch (error) {
        void vscode.window.showErrorMessage(messageOf(error));
    }
}

/** The recording of the active editor, or one that the user picks. */
async function chooseRecording(title = 'Replay which recording?'): Promise<vscode.Uri | undefined> {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    if (input instanceof vscode.TabInputCustom && input.viewType === 'ttvm.recording') return input.uri;
    return (await vscode.window.showOpenDialog({ title, openLabel: 'Choose', filters: { Recordings: ['ttvm'] } }))?.[0];
}
