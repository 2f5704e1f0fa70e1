import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';

/** Something in the workspace that can be debugged. */
export interface Candidate { file: vscode.Uri; isRecording: boolean }

const LIMIT = 40;
const EXCLUDED = '**/{node_modules,.git}/**';

/** Recordings first, then kernels, each in alphabetical order. */
export async function findCandidates(folder: vscode.WorkspaceFolder | undefined): Promise<Candidate[]> {
    const within = (pattern: string): vscode.GlobPattern => folder ? new vscode.RelativePattern(folder, pattern) : pattern;
    const [recordings, images] = await Promise.all([
        vscode.workspace.findFiles(within('**/*.ttvm'), EXCLUDED, LIMIT),
        vscode.workspace.findFiles(within('**/{vmlinux,vmlinuz,bzImage,vmlinuz-*,*.elf,kernel,*.kernel}'), EXCLUDED, LIMIT)
    ]);
    const kernels = await Promise.all(images.map(async file => (await isKernel(file.fsPath)) ? [file] : []));
    const sorted = (files: vscode.Uri[]) => files.sort((a, b) => a.fsPath.localeCompare(b.fsPath));
    return [...sorted(recordings).map(file => ({ file, isRecording: true })), ...sorted(kernels.flat()).map(file => ({ file, isRecording: false }))];
}

export function configurationOf(candidate: Candidate): vscode.DebugConfiguration {
    const name = path.basename(candidate.file.fsPath);
    return { type: 'ttvm', request: 'launch', name: candidate.isRecording ? `Replay ${name}` : `Record and debug ${name}`, program: candidate.file.fsPath };
}

/** An ELF executable (not an object file or a library) or a Linux bzImage, by its header. */
async function isKernel(file: string): Promise<boolean> {
    try {
        const handle = await fs.open(file);
        try {
            const { buffer, bytesRead } = await handle.read(Buffer.alloc(0x206), 0, 0x206, 0);
            if (bytesRead < 20) return false;
            if (buffer.readUInt32BE(0) === 0x7f454c46) return buffer.readUInt16LE(16) === 2 && [3, 62].includes(buffer.readUInt16LE(18));
            return bytesRead === 0x206 && buffer.toString('latin1', 0x202, 0x206) === 'HdrS';
        } finally {
            await handle.close();
        }
    } catch {
        return false;
    }
}
