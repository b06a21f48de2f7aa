// The rules of the house as a test; run by script/tidy. A rule gets a tree of files and returns what it finds wrong, one
// sentence each, beginning with where. Beside every rule stands a breach of it, with which --self-test proves that the
// rule still bites, and a similar text that is no breach.

import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, posix} from 'node:path';
import {fileURLToPath} from 'node:url';

const skippedFolders = new Set(['.git', '.tools', 'build', 'dist', 'node_modules', 'playwright-report', 'test-results']);

// The files below a folder that are, or could be, under version control.
class Tree {
    constructor(root) {
        this.root = root;
        this.files = this.#list('').sort();
    }

    #list(folder) {
        const found = [];
        for (const entry of readdirSync(join(this.root, folder), {withFileTypes: true})) {
            const path = posix.join(folder, entry.name);
            if (entry.isDirectory()) found.push(...(skippedFolders.has(entry.name) ? [] : this.#list(path)));
            else if (entry.isFile()) found.push(path);
        }
        return found;
    }

    matching(pattern) {
        return this.files.filter((path) => pattern.test(path));
    }

    has(path) {
        return existsSync(join(this.root, path));
    }

    read(path) {
        return readFileSync(join(this.root, path), 'utf8');
    }

    // The lines of a source file without its comments, and, if asked, without what stands in its strings.
    code(path, {strings}) {
        const token = /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;
        const blank = (text) => text.replace(/[^\n]/g, ' ');
        const text = this.read(path).replace(token, (found) =>
            found[0] === '/' ? blank(found) : strings ? found : found[0] + blank(found.slice(1, -1)) + found[0]);
        return text.split('\n');
    }
}

// Calls `judge` with every line of the files; what it returns, if anything, becomes a finding with its place.
function judgeLines(tree, files, options, judge) {
    return files.flatMap((path) =>
        tree.code(path, options).flatMap((line, index) => {
            const sentence = judge(line, path);
            return sentence ? [`${path}:${index + 1}: ${sentence}`] : [];
        }));
}

const cpp = /\.(cpp|hpp)$/;
const script = /\.(ts|tsx|mts|js|mjs|cjs)$/;

// ------------------------------------------------------------------------------------------------------- C++ layers

const mayInclude = {
    common: ['common'],
    server: ['server', 'common'],
    'client-wasm': ['client-wasm', 'common'],
    simulation: ['simulation', 'common'],
    bench: ['bench', 'server', 'common'],
    fuzz: ['fuzz', 'server', 'common'],
};

const includes = {
    name: 'C++ includes point one way and start at the repository root',
    check(tree) {
        const files = tree.matching(/^(common|server|client-wasm|simulation|bench|fuzz)\/.*\.(cpp|hpp)$/);
        return judgeLines(tree, files, {strings: true}, (line, path) => {
            const [, quote, target] = /^\s*#\s*include\s*(["<])([^">]+)/.exec(line) ?? [];
            if (!target) return undefined;
            const layer = path.split('/')[0];
            const named = target.split('/')[0];
            if (quote === '<' && !(named in mayInclude)) return undefined;
            if (quote === '"' && (!target.includes('/') || target.startsWith('.'))) {
                return `"${target}" does not start at the repository root: write "${posix.join(dirname(path), target)}"`;
            }
            if (!mayInclude[layer].includes(named)) {
                return `${layer}/ includes ${target}, and may include only ${mayInclude[layer].join(' and ')}`;
            }
            return tree.has(target) ? undefined : `${target} does not exist`;
        });
    },
    breach: {'common/hub/hub.cpp': '#include "server/shard.hpp"\n', 'server/shard.hpp': ''},
    innocent: {'server/shard.cpp': '#include <vector>\n#include "common/hub/hub.hpp"\n', 'common/hub/hub.hpp': ''},
};

// ------------------------------------------------------------------------------------------------------- C++ floors

// Tests may look anywhere, and so may what only tests use.
const forTests = /_test\.(cpp|hpp)$|\/test_\w+\.hpp$|^server\/testing\//;

// The quoted includes of the C++ below these folders, tests apart: [file, target, line].
function includesBelow(tree, folders) {
    const files = tree.files.filter((path) => cpp.test(path) && folders.includes(path.split('/')[0]) && !forTests.test(path));
    return files.flatMap((path) =>
        tree.code(path, {strings: true}).flatMap((line, index) => {
            const target = /^\s*#\s*include\s*"([^"]+)"/.exec(line)?.[1];
            return target ? [{path, target, line: index + 1}] : [];
        }));
}

// A header and its source are one unit.
const unitOf = (path) => path.replace(cpp, '');

// A circle that begins and ends with `start`, as the units on the way; nothing where there is none.
function circleThrough(start, targets) {
    const before = new Map();
    const waiting = [start];
    for (const unit of waiting) {
        for (const next of targets.get(unit) ?? []) {
            if (next === start) {
                const way = [start];
                for (let at = unit; at !== start; at = before.get(at)) way.push(at);
                return [start, ...way.reverse()];
            }
            if (!before.has(next)) {
                before.set(next, unit);
                waiting.push(next);
            }
        }
    }
    return undefined;
}

const circles = {
    name: 'no circle of includes between the units of common/, server/ and bench/',
    check(tree) {
        const targets = new Map();
        for (const {path, target} of includesBelow(tree, ['common', 'server', 'bench'])) {
            const unit = unitOf(path);
            if (!targets.has(unit)) targets.set(unit, new Set());
            if (unitOf(target) !== unit) targets.get(unit).add(unitOf(target));
        }
        const told = new Set();
        return [...targets.keys()].sort().flatMap((unit) => {
            const circle = told.has(unit) ? undefined : circleThrough(unit, targets);
            for (const one of circle ?? []) told.add(one);
            return circle ? [`${unit}: a circle, ${circle.join(' -> ')}; hand one of them in through a port`] : [];
        });
    },
    breach: {
        'server/shard/shard.hpp': '',
        'server/shard/shard.cpp': '#include "server/shard/shard.hpp"\n#include "server/shard/connection.hpp"\n',
        'server/shard/connection.hpp': '',
        'server/shard/connection.cpp': '#include "server/shard/shard.hpp"\n',
    },
    innocent: {
        'server/shard/shard.hpp': '#include "server/shard/port.hpp"\n',
        'server/shard/shard.cpp': '#include "server/shard/shard.hpp"\n#include "server/shard/connection.hpp"\n',
        'server/shard/connection.hpp': '#include "server/shard/port.hpp"\n',
        'server/shard/connection_test.cpp': '#include "server/shard/connection.hpp"\n#include "server/shard/shard.hpp"\n',
        'server/shard/port.hpp': '',
    },
};

// What each folder may include besides itself. `base` are the small files directly below server/ that everybody may use,
// `top` the others there, which put everything together.
const words = ['protocol', 'base'];
const values = ['exchange', 'access', 'delivery', ...words];
const underShard = ['storage', 'streams', 'net', 'config', 'identity', 'permission', 'base'];
const floors = {
    common: {
        base: [], protocol: ['base'], message: ['base'], schema: words, client: words,
        exchange: ['access', ...words], access: words, delivery: ['exchange', ...words],
        session: ['schema', ...values], channel: values, cluster: ['channel', ...values],
        hub: ['session', 'channel', 'cluster', ...values],
        sim: ['hub', 'session', 'channel', 'cluster', 'client', ...values],
        'cluster/sim': ['sim', 'hub', 'session', 'channel', 'cluster', 'client', ...values],
    },
    server: {
        base: [], identity: ['base'], permission: ['base'], config: ['identity', 'permission', 'base'], net: ['config', 'base'], storage: ['config', 'base'], care: ['storage', 'identity', 'config', 'base'], http: ['config', 'base'],
        streams: ['config', 'base'], schema: ['config', 'base'], shard: underShard,
        endpoint: ['shard', 'http', ...underShard], transport: ['endpoint', 'shard', 'http', ...underShard],
        app: ['shard', 'http', ...underShard], auth: ['shard', ...underShard], broker: ['shard', ...underShard], feed: ['broker', 'shard', ...underShard],
        forward: ['feed', 'broker', 'shard', ...underShard],
        observe: ['shard', ...underShard], examples: ['top'],
    },
};
const serverBase = /^server\/(log|log_limit|out_of_memory|random|text|version)\.(cpp|hpp)$/;
const serverConfig = /^server\/(config|limits)\.hpp$/;

function floorOf(path) {
    const [layer, folder, file] = path.split('/');
    if (path.startsWith('common/cluster/sim/')) return 'cluster/sim';
    if (file !== undefined) return folder;
    if (layer !== 'server') return undefined;
    return serverBase.test(path) ? 'base' : serverConfig.test(path) ? 'config' : 'top';
}

const arrows = {
    name: 'the folders of common/ and server/ include each other one way',
    check(tree) {
        return includesBelow(tree, ['common', 'server']).flatMap(({path, target, line}) => {
            const layer = path.split('/')[0];
            if (target.split('/')[0] !== layer) return [];
            const from = floorOf(path);
            const to = floorOf(target);
            if (from === to || from === 'top') return [];
            const may = floors[layer][from];
            if (!may) return [`${path}: ${layer}/${from}/ has no place among the floors in script/tidy.mjs`];
            if (may.includes(to)) return [];
            return [`${path}:${line}: ${layer}/${from}/ includes ${target}, and may include only ${['itself', ...may].join(', ')}`];
        });
    },
    breach: {'server/shard/shard.cpp': '#include "server/endpoint/router.hpp"\n', 'server/endpoint/router.hpp': ''},
    innocent: {
        'server/endpoint/router.cpp': '#include "server/shard/shard.hpp"\n#include "server/log.hpp"\n#include "common/hub/hub.hpp"\n',
        'server/server.cpp': '#include "server/endpoint/router.hpp"\n',
        'server/shard/shard_test.cpp': '#include "server/endpoint/router.hpp"\n#include "server/testing/client.hpp"\n',
        'common/hub/hub.cpp': '#include "common/protocol/names.hpp"\n',
    },
};
const arrowsPlanted = [
    {'common/session/session.cpp': '#include "common/channel/channel_log.hpp"\n'},
    {'common/channel/channel_log.cpp': '#include "common/session/session.hpp"\n'},
    {'common/cluster/replica.cpp': '#include "common/cluster/sim/witness.hpp"\n'},
    {'common/client/machine.cpp': '#include "common/message/json.hpp"\n'},
    {'server/net/tls.cpp': '#include "server/shard/shard.hpp"\n'},
    {'server/shard/connection.cpp': '#include "server/http/response.hpp"\n'},
    {'server/config/settings.cpp': '#include "server/server.hpp"\n'},
    {'server/log.cpp': '#include "server/config/settings.hpp"\n'},
    {'server/manager/manager.cpp': '#include "server/log.hpp"\n'},
];

// What reaches outside a state machine. `tests` says whether a test may have it.
const outside = [
    {pattern: /^\s*#\s*include\s*<(boost|openssl|spdlog|prometheus|CLI|curl|zlib)\b/, what: 'a library of the shells'},
    {pattern: /^\s*#\s*include\s*<(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token)>/, what: 'threads'},
    {pattern: /^\s*#\s*include\s*<(sys\/|netinet\/|arpa\/|unistd\.h|poll\.h|fcntl\.h|netdb\.h|emscripten)/, what: 'the operating system'},
    {pattern: /\b(steady_clock|system_clock|high_resolution_clock|file_clock|utc_clock)\s*::\s*now\b|[^.>:\w]time\s*\(\s*(nullptr|NULL|0)\s*\)|\b(clock_gettime|gettimeofday)\s*\(/, what: 'a clock: time is an argument'},
    {pattern: /\bstd::this_thread\b|\bsleep_for\b|\bsleep_until\b/, what: 'sleep'},
    {pattern: /\brandom_device\b|[^.>:\w]s?rand\s*\(/, what: 'true randomness: random numbers are arguments'},
    {pattern: /^\s*#\s*include\s*<(random|fstream|iostream|filesystem|ctime|time\.h)>/, what: 'randomness, files, clocks or logs', tests: true},
    {pattern: /\b(getenv|fopen|f?printf|fputs|puts|putchar|system)\s*\(|\bstd::(cout|cerr|clog|cin)\b/, what: 'files or logs', tests: true},
    {pattern: /\bthrow\b/, what: 'an exception: return a result', tests: true},
];

const sansIo = {
    name: 'common/ has no socket, thread, clock, randomness, file, log or exception',
    check(tree) {
        return judgeLines(tree, tree.matching(/^common\/.*\.(cpp|hpp)$/), {strings: false}, (line, path) => {
            const test = /_test\.(cpp|hpp)$/.test(path);
            const found = outside.find(({pattern, tests}) => !(test && tests) && pattern.test(line));
            return found && `this is ${found.what}; common/ is told such things and returns what is to be done`;
        });
    },
    breach: {'common/client/client.cpp': 'auto now() { return std::chrono::steady_clock::now(); }\n'},
    innocent: {'common/client/client.cpp': '// Never throw; std::thread is a word here.\nvoid step(time_point now);\nauto s = "throw";\n'},
};
const sansIoPlanted = [
    '#include <boost/asio.hpp>', '#include <openssl/evp.h>', '#include <thread>', '#include <mutex>', '#include <random>',
    '#include <fstream>', '#include <iostream>', 'auto t = std::chrono::system_clock::now();', 'throw 1;',
    'auto t = time(nullptr);', 'std::random_device seed;', 'printf("x");', '#include <sys/socket.h>',
];

const nlohmann = {
    name: 'nlohmann_json stays out of what becomes the npm package',
    check(tree) {
        const files = tree.matching(/^(common|client-wasm)\/.*\.(cpp|hpp)$/)
            .filter((path) => !path.startsWith('common/message/') && !/_test\.(cpp|hpp)$/.test(path));
        return judgeLines(tree, files, {strings: true}, (line) =>
            /#\s*include\s*[<"](nlohmann\/|common\/message\/)/.test(line)
                ? 'only common/message and tests may use nlohmann_json: it would triple the download'
                : undefined);
    },
    breach: {'common/protocol/codec.cpp': '#include <nlohmann/json.hpp>\n'},
    innocent: {
        'common/message/message.hpp': '#include <nlohmann/json.hpp>\n',
        'common/protocol/codec_test.cpp': '#include <nlohmann/json.hpp>\n',
    },
};

// ----------------------------------------------------------------------------------------------- what uses artefacts

// What a script imports or builds a URL of, with its line.
function importsOf(tree, path) {
    const found = [];
    tree.code(path, {strings: true}).forEach((line, index) => {
        const pattern = /(\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*|\bnew\s+URL\s*\(\s*)(["'])([^"']+)\2/g;
        for (const [, how, , target] of line.matchAll(pattern)) found.push({target, url: how.startsWith('new'), line: index + 1});
    });
    return found;
}

const artefacts = {
    name: 'web/ and e2e/ use the npm package by its name, and nothing else of the tree',
    check(tree) {
        return tree.matching(/^(web|e2e)\//).filter((path) => script.test(path)).flatMap((path) =>
            importsOf(tree, path).flatMap(({target, url, line}) => {
                const home = path.split('/')[0];
                const relative = target.startsWith('.');
                const folder = relative ? posix.join(dirname(path), target).split('/')[0] : undefined;
                if (folder === home) return [];
                // a URL may lead to the root, where the built server is
                if (folder && url && !(folder in mayInclude)) return [];
                if (!relative && !/(^|\/)(client-wasm|server|common)\//.test(target)) return [];
                return [`${path}:${line}: imports ${target}; ${home}/ sees only built things: import from 'pulsewire'`];
            }));
    },
    breach: {'web/chat/main.ts': "import {connect} from '../../client-wasm/src/index.ts';\n"},
    innocent: {
        'web/chat/main.ts': "import {connect} from 'pulsewire';\nimport {show} from '../shared/show.ts';\n",
        'e2e/server.ts': "const root = new URL('../', import.meta.url);\n",
    },
};

// ------------------------------------------------------------------------------------------- the SDK's TypeScript

const sdkSource = /^client-wasm\/src\/.*\.ts$/;

// The files of client-wasm/src that a file of it imports, for types too: those that have to be read to understand it.
function sdkImportsOf(tree, path) {
    return importsOf(tree, path)
        .filter(({target}) => target.startsWith('.'))
        .map(({target}) => posix.join(dirname(path), target).replace(/\.js$/, '.ts'))
        .filter((target) => tree.has(target));
}

const sdkCircles = {
    name: 'the files of client-wasm/src import each other without a circle',
    check(tree) {
        const state = new Map();
        const found = [];
        const visit = (path, way) => {
            if (state.get(path) === 'seen') return;
            if (state.get(path) === 'open') {
                const circle = [...way.slice(way.indexOf(path)), path].map((each) => posix.relative('client-wasm/src', each));
                found.push(`${path}: is in a circle of imports, ${circle.join(' → ')}`);
                return;
            }
            state.set(path, 'open');
            for (const next of sdkImportsOf(tree, path)) visit(next, [...way, path]);
            state.set(path, 'seen');
        };
        for (const path of tree.matching(sdkSource)) visit(path, []);
        return found;
    },
    breach: {
        'client-wasm/src/client/client.ts': "import type {Keeper} from '../storage/keeper.js';\n",
        'client-wasm/src/storage/keeper.ts': "import {names} from '../base/names.js';\n",
        'client-wasm/src/base/names.ts': "export type * from '../client/client.js';\n",
    },
    innocent: {
        'client-wasm/src/client/client.ts': "import {names} from '../base/names.js';\nimport type {Keeper} from '../storage/keeper.js';\n",
        'client-wasm/src/storage/keeper.ts': "// import type {Client} from '../client/client.js';\nimport {names} from '../base/names.js';\n",
        'client-wasm/src/base/names.ts': "export const names = 1;\n",
    },
};

const sdkMemory = {
    name: 'only client-wasm/src/core knows the memory of the WebAssembly module, and test/hub.ts that of the test server',
    check(tree) {
        const files = tree.matching(sdkSource).filter((path) => !path.startsWith('client-wasm/src/core/') && path !== 'client-wasm/src/test/hub.ts');
        return judgeLines(tree, files, {strings: true}, (line) => {
            const inside = /(?:\bfrom|\bimport)\s*\(?\s*'[^']*\bcore\/(core|host|numbers|answer|channel_event|state)\.js'/.exec(line);
            if (inside) return `imports core/${inside[1]}: read the action in core/ and hand on a value`;
            return /\bWebAssembly\.(Memory|Instance|instantiate)\b|\.exports\b|\b(Field|HalfField|ByteField)\.\w/.test(line)
                ? 'reaches into the module: core/ alone does'
                : undefined;
        });
    },
    breach: {'client-wasm/src/client/channel.ts': "import type {Core} from '../core/core.js';\n"},
    innocent: {
        'client-wasm/src/core/state.ts': "import {Field} from './numbers.js';\nconst at = core.word(Field.attempt);\n",
        'client-wasm/src/index.ts': "import {MachineSession} from './core/machine_session.js';\nimport {once} from './core/load.js';\n",
        'client-wasm/src/client/channel.ts': "// A Field.name of core/core.js is only named here.\nimport {Message} from './message.js';\n",
    },
};
const sdkMemoryPlanted = [
    "import {Field} from '../core/numbers.js';", "type Core = import('../core/core.js').Core;", 'const at = Field.attempt;',
    'const {buffer} = instance.exports.memory as WebAssembly.Memory;', 'await WebAssembly.instantiate(module, {});',
];

const testNames = {
    name: 'C++ tests are named by sentences in snake_case',
    check(tree) {
        return judgeLines(tree, tree.matching(/_test\.(cpp|hpp)$/), {strings: false}, (line) => {
            const [, suite, name] = /\bTEST(?:_F|_P)?\(\s*(\w+)\s*(?:,\s*(\w+))?/.exec(line) ?? [];
            const wrong = [suite, name].find((one) => one && /[A-Z]/.test(one));
            return wrong && `${wrong} is no name for a test here: write a sentence of behaviour in snake_case`;
        });
    },
    breach: {'server/net/tls_test.cpp': 'TEST(tls, ABadRecordEndsTheConnection) {\n'},
    innocent: {'server/net/tls_test.cpp': 'TEST_F(tls_test, a_bad_record_ends_the_connection) {\nINSTANTIATE_TEST_SUITE_P(Inputs, tls_test, Values(1));\n'},
};

const deterministicTests = {
    name: 'browser tests neither sleep nor fix a port',
    check(tree) {
        const files = tree.matching(/^e2e\//).filter((path) => script.test(path));
        return judgeLines(tree, files, {strings: true}, (line) => {
            if (/\bwaitForTimeout\b|\bsleep\s*\(|timers\/promises|=>\s*\{?\s*setTimeout\s*\(\s*\w+\s*,/.test(line)) {
                return 'sleeps; wait for what is to be seen instead';
            }
            if (/(localhost|127\.0\.0\.1|\[::1\]):\d+|\.listen\(\s*[1-9]|\bport\s*[:=]\s*[1-9]\d{2,}|--port['", =]+[1-9]/.test(line)) {
                return 'fixes a port; let the system choose one (port 0)';
            }
            return /\bretries\s*:\s*[1-9]/.test(line) ? 'retries; a test that fails sometimes is a finding' : undefined;
        });
    },
    breach: {'e2e/chat.spec.ts': 'await page.waitForTimeout(500);\n'},
    innocent: {'e2e/chat.spec.ts': "server.listen(0);\nawait page.goto(`http://localhost:${port}/`);\nconst config = {retries: 0};\n"},
};
const deterministicPlanted = [
    "await page.goto('http://localhost:8080/');", 'server.listen(4000);', 'retries: 2,',
    'await new Promise((done) => setTimeout(done, 100));',
];

// ----------------------------------------------------------------------------------------------------- what prose names

const sourceFile = /\.(cpp|hpp|ts|tsx|mts|js|mjs|cjs|json|cmake|html|css|service|yml|pc\.in)$|(^|\/)(CMakeLists\.txt|\.clang-format)$|^script\/[^.]+$/;
const extension = /\.(cpp|hpp|ts|tsx|js|mjs|cjs|json|md|cmake|txt|html|css|sh|patch|wasm|supp)$/;
const builtFolders = /^(build|dist|node_modules|test-results|playwright-report)\/|\/(build|dist|node_modules|test-results|playwright-report)(\/|$)/;

// Every word of the code, comments apart.
function wordsOf(tree) {
    const found = new Set();
    for (const path of tree.files.filter((one) => sourceFile.test(one))) {
        const lines = cpp.test(path) || script.test(path) ? tree.code(path, {strings: true}) : tree.read(path).split('\n');
        for (const word of lines.join('\n').match(/[A-Za-z_][\w-]*/g) ?? []) {
            found.add(word);
            for (const part of word.split('-')) found.add(part);
        }
    }
    return found;
}

// Whether some file or folder is called so, from the root or from a folder on the way: `net/tls` is server/net/tls.hpp.
function isPath(tree, path) {
    const name = path.replace(/\/$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\*', '[^/]*');
    const pattern = new RegExp(`(^|/)${name}([./-]|$)`);
    return tree.files.some((file) => pattern.test(file));
}

// What is wrong with one piece of text in backticks: a path that leads nowhere, or a name that the code does not know.
function judgeName(tree, known, text) {
    const name = text.split(' ')[0].replace(/[.,]$/, '');
    if (/^[\w.@-]*\*?[\w.-]*(\/[\w.*-]+)*\/?$/.test(name) && (name.includes('/') || extension.test(name))) {
        return builtFolders.test(name) || isPath(tree, name) ? undefined : `there is no ${name}`;
    }
    // what others wrote has other places to be looked up
    if (text.startsWith('std::')) return undefined;
    if (!/^[A-Za-z_][\w]*(?:(::|\.)[A-Za-z_]\w*)*(\(\))?$/.test(text)) return undefined;
    const unknown = text.replace('()', '').split(/::|\./).find((part) => !known.has(part));
    return unknown && `the code knows no ${unknown}`;
}

// The comment at the head of a header, with the line on which it begins.
function headOf(text) {
    const [all, before] = /^#pragma once\n\n((?:\/\/[^\n]*\n)+)/.exec(text) ?? ['', ''];
    return {text: before, line: all === '' ? 0 : 3};
}

const namedThings = {
    name: 'paths and names in ARCHITECTURE.md, CONTRIBUTING.md and at the head of headers exist',
    check(tree) {
        const known = wordsOf(tree);
        const prose = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].filter((path) => tree.has(path))
            .map((path) => ({path, line: 1, text: tree.read(path).replace(/^```[^]*?^```/gm, (block) => block.replace(/[^\n]/g, ''))}));
        const heads = tree.matching(/\.hpp$/).map((path) => ({path, ...headOf(tree.read(path))}));
        return [...prose, ...heads].flatMap(({path, line, text}) =>
            text.split('\n').flatMap((words, index) => {
                const quoted = [...words.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
                // in a header's head a path stands without backticks, too, and a function without its class
                const bare = path.endsWith('.hpp')
                    ? [...words.matchAll(/\b((?:common|server|client-wasm|bench|docs|script|e2e|web|fuzz)\/[\w./-]+\w|[a-z_]+\(\))/g)].map((match) => match[1])
                    : [];
                return [...new Set([...quoted, ...bare])].flatMap((name) => {
                    const wrong = judgeName(tree, known, name);
                    return wrong ? [`${path}:${line + index}: ${wrong}`] : [];
                });
            }));
    },
    breach: {'ARCHITECTURE.md': '`hub` knows the sessions.\n', 'common/hub/machine.cpp': 'class machine;\n'},
    innocent: {
        'ARCHITECTURE.md': 'The `hub` in `common/hub`, `hub/hub.cpp`, reads `{"op":"ping"}`; `build/dev/x` is made.\n```\n`nothing`\n```\n',
        'common/hub/hub.cpp': 'class hub;\n',
        'common/hub/names.hpp': '#pragma once\n\n// What is never longer than read_hub() allows (common/hub/hub.cpp).\nint read_hub();\n',
    },
};
const namedThingsPlanted = [
    {'CONTRIBUTING.md': 'See `common/protocol/codec.hpp`.\n', 'common/protocol/names.hpp': ''},
    {'common/hub/hub.hpp': '#pragma once\n\n// Returned by output().\nvoid out();\n'},
    {'common/hub/hub.hpp': '#pragma once\n\n// As docs/protocol.md says.\nvoid out();\n'},
    {'common/hub/hub.hpp': '#pragma once\n\n// What a `remedy` is.\n// A remedy: nothing in the code.\nvoid out();\n'},
];

// --------------------------------------------------------------------------------------------------------- hygiene

const generated = {
    name: 'generated files are current',
    check(tree) {
        if (!tree.has('script/generate.mjs')) return ['script/generate.mjs: missing; nothing proves the generated files'];
        const run = spawnSync(process.execPath, ['script/generate.mjs', '--check'], {cwd: tree.root, encoding: 'utf8'});
        if (run.status === 0) return [];
        return [`script/generate.mjs: ${(run.stderr + run.stdout).trim()} (run: node script/generate.mjs)`];
    },
    breach: {'script/generate.mjs': 'console.error("codes.hpp is stale"); process.exit(1);\n'},
    innocent: {'script/generate.mjs': 'if (!process.argv.includes("--check")) process.exit(1);\n'},
};

// Formatting differs a little between versions; Debian 12's decides.
const formattingVersion = 14;
const formatting = {
    name: 'C++ is formatted as .clang-format says',
    check(tree) {
        const version = /version (\d+)/.exec(spawnSync('clang-format', ['--version'], {encoding: 'utf8'}).stdout ?? '')?.[1];
        if (!version) return ['clang-format: not installed (script/bootstrap installs it)'];
        if (Number(version) !== formattingVersion) {
            console.log(`  # not judged: clang-format is ${version} here, and ${formattingVersion} decides`);
            return [];
        }
        // what a program wrote is held to that program's output by the rule above
        const files = tree.files.filter((path) => cpp.test(path) && !/^\/\/ Generated by .* do not edit/m.test(tree.read(path)));
        if (files.length === 0) return [];
        const run = spawnSync('clang-format', ['--dry-run', '-Werror', ...files], {cwd: tree.root, encoding: 'utf8'});
        if (run.error) return [`clang-format: ${run.error.message}`];
        const stale = new Set([...run.stderr.matchAll(/^([^\s:]+):\d+:\d+: error/gm)].map((match) => match[1]));
        if (run.status !== 0 && stale.size === 0) return [`clang-format: ${run.stderr.trim()}`];
        return [...stale].map((path) => `${path}: not formatted (script/format)`);
    },
    breach: {'common/base/id.cpp': 'int   f( ){return 1 ;}\n'},
    innocent: {
        'common/base/id.cpp': 'int f();\n',
        'common/base/codes.hpp': '#pragma once\n\n// Generated by a program; do not edit.\nint   f( );\n',
    },
    needs: () => /version 14\./.test(spawnSync('clang-format', ['--version'], {encoding: 'utf8'}).stdout ?? ''),
};

const registries = {
    name: 'no file names the host of a package registry',
    check(tree) {
        const host = /\b(?:registry|npm|deb|security|archive|packages|mirror|artifactory|nexus)\.[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:org|com|net|io|dev|internal|local)\b/i;
        return tree.files.filter((path) => !/\.(png|jpg|webp|ico|wasm|woff2|gz|br|tgz|zip)$/.test(path)).flatMap((path) =>
            tree.read(path).split('\n').flatMap((line, index) => {
                const found = host.exec(line)?.[0] ?? (path.endsWith('package-lock.json') && /"resolved": "https?:/.exec(line)?.[0]);
                return found ? [`${path}:${index + 1}: names ${found}; where packages come from is the machine's own setting`] : [];
            }));
    },
    breach: {'package-lock.json': '{"packages": {"node_modules/ws": {"resolved": "https://example.com/ws.tgz"}}}\n'},
    innocent: {'README.md': 'The package: npm install pulsewire, see npm.im/pulsewire\n'},
};

const scripts = {
    name: 'every script says what it does and stops at its first error',
    check(tree) {
        return tree.matching(/^script\/[^./]+$/).flatMap((path) => {
            const lines = tree.read(path).split('\n');
            const wrong = [];
            if (!lines[0].startsWith('#!')) wrong.push('has no #! line');
            if (!/^(#|\/\/) \S/.test(lines[1] ?? '')) wrong.push('has no comment at its head');
            if (lines[0].includes('bash') && !lines.includes('set -euo pipefail')) wrong.push('does not set -euo pipefail');
            if (!lines.some((line) => /--help|wants_help/.test(line))) wrong.push('does not answer --help');
            return wrong.map((sentence) => `${path}: ${sentence}`);
        });
    },
    breach: {'script/launch': 'rm -rf "$1"/\n'},
    innocent: {'script/launch': '#!/usr/bin/env bash\n# Launches it.\nset -euo pipefail\nwants_help "$@" && exit\n'},
};

const version = {
    name: 'server and npm package carry one version',
    check(tree) {
        const ours = /\bproject\(pulsewire VERSION ([\d.]+)/.exec(tree.read('CMakeLists.txt'))?.[1];
        const theirs = tree.has('client-wasm/package.json') ? JSON.parse(tree.read('client-wasm/package.json')).version : ours;
        return ours === theirs ? [] : [`client-wasm/package.json: version ${theirs}, and CMakeLists.txt says ${ours}`];
    },
    breach: {'CMakeLists.txt': 'project(pulsewire VERSION 0.2.0)\n', 'client-wasm/package.json': '{"version": "0.1.0"}'},
    innocent: {'CMakeLists.txt': 'project(pulsewire VERSION 0.2.0)\n', 'client-wasm/package.json': '{"version": "0.2.0"}'},
};

const rules = [
    includes, circles, arrows, sansIo, nlohmann, artefacts, sdkCircles, sdkMemory, testNames, deterministicTests, namedThings, generated,
    formatting, registries, scripts, version,
];

// ------------------------------------------------------------------------------------------------------------- running

let passed = 0;
let failed = 0;

function report(name, findings) {
    console.log(`${findings.length === 0 ? 'ok' : 'not ok'} - ${name}`);
    for (const finding of findings) console.log(`  ${finding}`);
    if (findings.length === 0) passed += 1;
    else failed += 1;
}

function inFolderWith(files, act) {
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-tidy-'));
    try {
        for (const [path, text] of Object.entries(files)) {
            mkdirSync(join(folder, dirname(path)), {recursive: true});
            writeFileSync(join(folder, path), text);
        }
        return act(new Tree(folder));
    } finally {
        rmSync(folder, {recursive: true});
    }
}

function selfTest() {
    for (const rule of rules) {
        if (rule.needs && !rule.needs()) continue;
        const breaches = [rule.breach];
        if (rule === arrows) breaches.push(...arrowsPlanted);
        if (rule === namedThings) breaches.push(...namedThingsPlanted);
        if (rule === sansIo) breaches.push(...sansIoPlanted.map((line) => ({'common/hub/hub.cpp': `${line}\n`})));
        if (rule === sdkMemory) breaches.push(...sdkMemoryPlanted.map((line) => ({'client-wasm/src/client/channel.ts': `${line}\n`})));
        if (rule === deterministicTests) breaches.push(...deterministicPlanted.map((line) => ({'e2e/chat.spec.ts': `${line}\n`})));
        const missed = breaches.filter((files) => inFolderWith(files, (tree) => rule.check(tree)).length === 0);
        report(`a breach is found: ${rule.name}`, missed.map((files) => `not found: ${JSON.stringify(files)}`));
        report(`and nothing else: ${rule.name}`, inFolderWith(rule.innocent, (tree) => rule.check(tree)));
    }
}

const root = fileURLToPath(new URL('..', import.meta.url));
if (process.argv[2] === '--self-test') {
    selfTest();
} else if (process.argv.length > 2) {
    console.error(`tidy: unknown argument '${process.argv[2]}'; script/tidy --help`);
    process.exit(2);
} else {
    const tree = new Tree(root);
    for (const rule of rules) report(rule.name, rule.check(tree));
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
