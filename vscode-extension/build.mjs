// Bundles the extension (Node) and one script per webview (browser) into dist/. `node build.mjs --watch` rebuilds on changes.
import esbuild from 'esbuild';
import fs from 'node:fs';

const webviews = fs.readdirSync('src/webviews').filter(name => name.endsWith('View.ts')).map(name => `src/webviews/${name}`);
const common = { bundle: true, minify: !process.argv.includes('--watch'), sourcemap: false, target: 'es2022', logLevel: 'warning' };
const builds = [
    { ...common, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', platform: 'node', format: 'cjs', external: ['vscode'] },
    { ...common, entryPoints: webviews, outdir: 'dist/webviews', platform: 'browser', format: 'iife' }
];

fs.rmSync('dist', { recursive: true, force: true });
if (process.argv.includes('--watch')) for (const build of builds) await (await esbuild.context(build)).watch();
else await Promise.all(builds.map(build => esbuild.build(build)));
