// Builds the pages into web/dist: TypeScript and CSS through esbuild, HTML from src/shared/layout.html around each
// page's own page.html.
//
//   node build.mjs [--watch]

import {build} from 'esbuild';
import {mkdirSync, readFileSync, rmSync, watch, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {codeBlock, escapeHtml} from './highlight.mjs';
import {pages} from './src/pages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const src = `${here}src/`;
const dist = `${here}dist/`;

const common = {bundle: true, minify: true, sourcemap: 'linked', target: 'es2022', logLevel: 'warning', outdir: dist, outbase: src, write: false};

async function buildAll() {
    const results = await Promise.all([
        build({
            ...common, format: 'esm', splitting: true, chunkNames: 'shared/[name]-[hash]',
            entryPoints: pages.map((page) => ({in: `${src}${page.name}/main.ts`, out: `${page.path}main`})),
        }),
        build({...common, format: 'iife', entryPoints: [{in: `${src}shared/theme.ts`, out: 'theme'}]}),
        build({...common, entryPoints: [{in: `${src}style.css`, out: 'style'}]}),
    ]);
    const files = results.flatMap((result) => result.outputFiles).map(({path, contents}) => [path, contents]);
    for (const page of pages) files.push([`${dist}${page.path}index.html`, html(page)]);
    files.push([`${dist}favicon.svg`, readFileSync(`${src}shared/favicon.svg`)]);

    // Only what is whole replaces what is there: a server may be serving it.
    rmSync(dist, {recursive: true, force: true});
    for (const [path, contents] of files) {
        mkdirSync(dirname(path), {recursive: true});
        writeFileSync(path, contents);
    }
}

function html(page) {
    const fill = (template, values) => template.replace(/\{\{([\w:.-]+)\}\}/g, (slot, name) => {
        const [kind, file] = name.split(':');
        if (kind === 'code') return codeBlock(readFileSync(`${src}${page.name}/${file}`, 'utf8'), file);
        if (!(name in values)) throw new Error(`${page.name}: nothing to fill ${slot} with`);
        return values[name];
    });
    return fill(readFileSync(`${src}shared/layout.html`, 'utf8'), {
        name: page.name,
        title: escapeHtml(page.title),
        description: escapeHtml(page.description),
        script: `/${page.path}main.js`,
        nav: pages.filter((other) => other.nav).map((other) =>
            `<a href="/${other.path}"${other === page ? ' aria-current="page"' : ''}>${other.nav}</a>`).join('\n      '),
        content: fill(readFileSync(`${src}${page.name}/page.html`, 'utf8'), {}),
        source: (page.shown ?? []).map((file) => source(page, file)).join('\n'),
    });
}

function source(page, file) {
    const code = readFileSync(`${src}${page.name}/${file}`, 'utf8');
    const lines = code.trimEnd().split('\n').length;
    return `<details class="source"><summary>The code of this page: <code>web/src/${page.name}/${file}</code>, ${lines} lines</summary>${codeBlock(code, file)}</details>`;
}

await buildAll();
if (process.argv.includes('--watch')) {
    let timer;
    watch(src, {recursive: true}, () => {
        clearTimeout(timer);
        timer = setTimeout(() => buildAll().then(() => console.log('built'), (error) => console.error(error.message)), 100);
    });
    console.log('watching web/src');
}
