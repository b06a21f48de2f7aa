// support/engines.ts names tests by pieces of their titles: a title that changes must not take a test out of Firefox unnoticed.

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {impossible, inFirefox, inWebKit} from './support/engines.ts';
import {expect, test} from './support/test.ts';

const textOf = (spec: string): string => readFileSync(fileURLToPath(new URL(spec, import.meta.url)), 'utf8');

test('what runs in an engine, or cannot, is named as in its spec', () => {
    const named = [...Object.entries(inFirefox), ...impossible.map(({spec, title}) => [spec, [title]] as const), ...inWebKit.map((spec) => [spec, 'all'] as const)];
    const unknown = named.flatMap(([spec, titles]) => {
        const text = textOf(spec).replaceAll("\\'", "'");
        return titles === 'all' ? [] : titles.filter((title) => !text.includes(title)).map((title) => `${spec}: ${title}`);
    });
    expect(unknown).toEqual([]);
});
