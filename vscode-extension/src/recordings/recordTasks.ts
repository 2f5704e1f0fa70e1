import * as path from 'node:path';
import * as vscode from 'vscode';
import { findCandidates } from '../debug/candidates';
import { findServer } from '../server';

interface RecordDefinition extends vscode.TaskDefinition {
    output: string; kernel?: string; initrd?: string; append?: string; disks?: string[]; diskInterface?: string; bios?: string; cpus?: number; memory?: string;
    clock?: string; chaos?: number; input?: string; until?: string; force?: boolean;
}

/** Tasks of the type ttvm: `ttvm record`, and one for each kernel in the workspace. */
export class RecordTaskProvider implements vscode.TaskProvider {
    constructor(private readonly context: vscode.ExtensionContext) { }

    async provideTasks(): Promise<vscode.Task[]> {
        const tasks: vscode.Task[] = [];
        for (const folder of vscode.workspace.workspaceFolders ?? []) {
            for (const { file, isRecording } of await findCandidates(folder)) {
                if (isRecording) continue;
                const kernel = path.relative(folder.uri.fsPath, file.fsPath);
                const output = `${path.basename(kernel).replace(/\.[^.]*$/, '')}.ttvm`;
                tasks.push(this.task({ type: 'ttvm', kernel, output, force: true }, folder, `record ${kernel}`));
            }
        }
        return tasks;
    }

    resolveTask(task: vscode.Task): vscode.Task | undefined {
        const definition = task.definition as RecordDefinition;
        return definition.output ? this.task(definition, task.scope ?? vscode.TaskScope.Workspace, task.name) : undefined;
    }

    private task(definition: RecordDefinition, scope: vscode.WorkspaceFolder | vscode.TaskScope, name: string): vscode.Task {
        const server = findServer(this.context.extensionPath);
        const cwd = typeof scope === 'object' ? scope.uri.fsPath : undefined;
        const execution = new vscode.ProcessExecution(server.command, [...server.prefix, 'record', ...argumentsOf(definition)], { cwd });
        const task = new vscode.Task(definition, scope, name, 'ttvm', execution, []);
        task.detail = `Records a run into ${definition.output}`;
        task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
        return task;
    }
}

function argumentsOf(definition: RecordDefinition): string[] {
    const args = ['--output', definition.output];
    const add = (option: string, value: string | number | undefined) => { if (value !== undefined) args.push(option, String(value)); };
    add('--kernel', definition.kernel);
    add('--initrd', definition.initrd);
    add('--append', definition.append);
    for (const disk of definition.disks ?? []) add('--disk', disk);
    add('--disk-interface', definition.diskInterface);
    add('--bios', definition.bios);
    add('--cpus', definition.cpus);
    add('--memory', definition.memory);
    add('--clock', definition.clock);
    add('--chaos', definition.chaos);
    add('--input', definition.input);
    add('--until', definition.until);
    if (definition.force) args.push('--force');
    return args;
}
