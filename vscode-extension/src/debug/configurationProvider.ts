import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { configurationOf, findCandidates, type Candidate } from './candidates';
import { checkConfiguration, type Schema } from './configurationChecks';

/** F5 without a launch.json, and checks of what a launch.json says. */
export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
    private readonly schemas: { [request: string]: Schema };

    constructor(context: vscode.ExtensionContext) {
        this.schemas = context.extension.packageJSON.contributes.debuggers[0].configurationAttributes;
    }

    async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
        return (await findCandidates(folder)).map(configurationOf);
    }

    async resolveDebugConfiguration(folder: vscode.WorkspaceFolder | undefined, configuration: vscode.DebugConfiguration): Promise<vscode.DebugConfiguration | undefined> {
        // Without a launch.json, VS Code hands over nothing at all.
        if (!configuration.type && !configuration.request && !configuration.name) {
            const candidate = openedRecording() ?? await chooseCandidate(folder);
            if (!candidate) return undefined;
            Object.assign(configuration, configurationOf(candidate));
        }
        // The Debug Console would cover the views.
        configuration.internalConsoleOptions ??= 'neverOpen';
        return configuration;
    }

    async resolveDebugConfigurationWithSubstitutedVariables(folder: vscode.WorkspaceFolder | undefined,
        configuration: vscode.DebugConfiguration): Promise<vscode.DebugConfiguration | undefined> {
        if (typeof configuration.program === 'string' && configuration.program && folder) configuration.program = path.resolve(folder.uri.fsPath, configuration.program);
        const problem = checkConfiguration(configuration, this.schemas) ?? this.missingFile(configuration);
        if (!problem) return configuration;
        await complain(configuration.name, problem);
        return undefined;
    }

    private missingFile(configuration: vscode.DebugConfiguration): string | undefined {
        if (configuration.request !== 'launch' || fs.existsSync(configuration.program)) return undefined;
        return `"program" names ${configuration.program}, which does not exist.`;
    }
}

async function complain(name: string, problem: string): Promise<void> {
    const open = 'Open launch.json';
    if (await vscode.window.showErrorMessage(`"${name}" cannot be started.`, { modal: true, detail: problem }, open) === open)
        await vscode.commands.executeCommand('workbench.action.debug.configure');
}

/** The recording that the active editor shows. */
function openedRecording(): Candidate | undefined {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    return input instanceof vscode.TabInputCustom && input.viewType === 'ttvm.recording' ? { file: input.uri, isRecording: true } : undefined;
}

/** The only thing that can be debugged here, or the one that the user picks. */
async function chooseCandidate(folder: vscode.WorkspaceFolder | undefined): Promise<Candidate | undefined> {
    const candidates = await findCandidates(folder);
    if (candidates.length === 1) return candidates[0];
    if (candidates.length === 0) {
        const create = 'Create the Demo Recording', guide = 'Open the Walkthrough';
        const choice = await vscode.window.showInformationMessage('There is nothing to debug in this folder.',
            { modal: true, detail: 'ttvm debugs recordings (NAME.ttvm), kernels (ELF, bzImage) and disks. Put one here, or begin with the demo.' }, create, guide);
        if (choice === create) await vscode.commands.executeCommand('ttvm.createDemo');
        else if (choice === guide) await vscode.commands.executeCommand('workbench.action.openWalkthrough', 'ttvm.ttvm#start');
        return undefined;
    }
    const items = candidates.map(candidate => ({
        candidate,
        label: `${candidate.isRecording ? '$(history)' : '$(chip)'} ${path.basename(candidate.file.fsPath)}`,
        description: vscode.workspace.asRelativePath(path.dirname(candidate.file.fsPath)),
        detail: candidate.isRecording ? undefined : 'A kernel: it is recorded while you debug it'
    }));
    return (await vscode.window.showQuickPick(items, { title: 'Debug what?', matchOnDescription: true }))?.candidate;
}

function hasRecordingAtTop(): boolean {
    return (vscode.workspace.workspaceFolders ?? []).some(folder => {
        try {
            return folder.uri.scheme === 'file' && fs.readdirSync(folder.uri.fsPath).some(name => name.endsWith('.ttvm'));
        } catch {
            return false;
        }
    });
}

/**
 * F5 where VS Code would ask which debugger to use, as no source file is open: `ttvm.startsOnF5` says that there is something to debug and no launch.json.
 */
export function registerStart(context: vscode.ExtensionContext): void {
    const hasLaunchJson = () => (vscode.workspace.getConfiguration('launch').get<unknown[]>('configurations') ?? []).length > 0;
    const set = (startsOnF5: boolean) => vscode.commands.executeCommand('setContext', 'ttvm.startsOnF5', startsOnF5);
    const update = async () => {
        if (hasLaunchJson()) return void set(false);
        // A search takes a while; what lies in the folder itself is seen at once.
        if (hasRecordingAtTop()) return void set(true);
        await set((await findCandidates(undefined)).length > 0);
    };
    const watcher = vscode.workspace.createFileSystemWatcher('**/*.ttvm', false, true, false);
    context.subscriptions.push(watcher, watcher.onDidCreate(update), watcher.onDidDelete(update),
        vscode.workspace.onDidChangeConfiguration(event => { if (event.affectsConfiguration('launch')) void update(); }),
        vscode.commands.registerCommand('ttvm.start', async () => {
            if (hasLaunchJson()) return void await vscode.commands.executeCommand('workbench.action.debug.start');
            const candidate = openedRecording() ?? await chooseCandidate(undefined);
            if (candidate) await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(candidate.file), configurationOf(candidate));
        }));
    void update();
}
