// Compiles the usual mistakes with the C++ library and proves that the compiler's first error is a sentence which says
// what to write, and that it is not lost among others.
//
//   node script/check_mistakes.mjs

import {execFile, execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = process.env.CXX || 'g++';
const linesMax = 15;

const vote = 'struct vote { int choice = 0; };\nPULSEWIRE_MESSAGE(vote, "vote", choice)';
const noMessage = /this type is no message: write PULSEWIRE_MESSAGE\(/;
const cannotTravel = /a field of this type cannot travel: describe a struct of yours by PULSEWIRE_FIELDS\(/;
const cannotBeCalled = /this handler cannot be called: write it as \[\]\(/;

// What is declared before main(), what main() does with a server `s`, and the sentence.
const mistakes = {
    'a handler for a struct without PULSEWIRE_MESSAGE': ['struct plain { int choice; };', 's.on<plain>([](const plain&, pulsewire::publish_context&) {});', noMessage],
    'such a struct declared': ['struct plain { int choice; };', 's.declare<plain>();', noMessage],
    'such a struct published': ['struct plain { int choice; };', 's.publish("room", plain{1});', noMessage],
    'such a struct published instead': [`struct plain { int choice; };\n${vote}`, 's.on<vote>([](const vote&, pulsewire::publish_context& c) { c.publish_instead(plain{1}); });', noMessage],
    'such a struct sent to one connection': ['struct plain { int choice; };', 's.on_connect([](pulsewire::connection& c) { c.send("room", plain{1}); });', noMessage],
    'a request without PULSEWIRE_MESSAGE': ['struct plain { int choice; };', 's.handle<plain, int>([](const plain&, pulsewire::request_context&) { return 1; });', noMessage],
    'a field that is a struct without PULSEWIRE_FIELDS': ['struct inner { int x; };\nstruct outer { inner in; };\nPULSEWIRE_MESSAGE(outer, "outer", in)', 's.on<outer>([](const outer&, pulsewire::publish_context&) {});', cannotTravel],
    'a container that cannot travel': ['#include <set>\nstruct outer { std::set<int> in; };\nPULSEWIRE_MESSAGE(outer, "outer", in)', 's.publish("room", outer{});', cannotTravel],
    'an answer that cannot travel': [`struct plain { int choice; };\n${vote}`, 's.handle<vote, plain>([](const vote&, pulsewire::request_context&) { return plain{}; });', cannotTravel],
    'a handler with other parameters': [vote, 's.on<vote>([](const vote&, int) {});', cannotBeCalled],
    'a handler that changes the message': [vote, 's.on<vote>("room:", [](vote&, pulsewire::publish_context&) {});', cannotBeCalled],
    'a request handler without its context': [vote, 's.handle<vote, int>([](const vote&) { return 1; });', cannotBeCalled],
    'a request handler with another answer': [vote, 's.handle<vote, int>([](const vote&, pulsewire::request_context&) { return std::string(); });', /this handler gives no answer: it must return the response type/],
    'a misspelt field': ['struct ballot { int choice = 0; };\nPULSEWIRE_MESSAGE(ballot, "ballot", choise)', 's.on<ballot>([](const ballot&, pulsewire::publish_context&) {}); s.publish("room", ballot{});', /ballot has no field choise/],
    'a misspelt value': ['struct ballot { int choice = 0; };\nPULSEWIRE_VALUE_MESSAGE(ballot, "ballot", choise)', 's.publish("room", ballot{});', /ballot has no field choise/],
    'a misspelt enumerator': ['enum class colour { red };\nPULSEWIRE_ENUM(colour, red, gren)', '', /colour has no enumerator gren/],
};

const source = (before, inside) => `#include "server/server.hpp"\n${before}\nint main() {\n    pulsewire::server s;\n    ${inside}\n}\n`;
// Without any mistake: it must say nothing.
const right = source(`${vote}
struct inner { int x = 0; };
PULSEWIRE_FIELDS(inner, x)
struct outer { std::vector<inner> all; std::vector<outer> more; std::optional<std::map<std::string, inner>> named; };
PULSEWIRE_MESSAGE(outer, "outer", all, more, named)`,
's.on<outer>([](const outer&, auto& c) { c.publish_instead(vote{}); }).publishes<vote>();\n    s.handle<vote, outer>([](const vote&, auto&) { return outer{}; });');

const folder = mkdtempSync(join(tmpdir(), 'pulsewire-mistakes-'));
const flags = ['-std=c++20', '-Wall', '-Wextra', '-I', folder, '-I', root];

async function complaints(name, text) {
    const file = join(folder, `${name.replaceAll(' ', '_')}.cpp`);
    writeFileSync(file, text);
    return new Promise((resolve) => execFile(compiler, [...flags, '-fsyntax-only', file], {env: {...process.env, LC_ALL: 'C'}}, (_, _out, words) => resolve(words)));
}

async function fault(name, before, inside, sentence) {
    const words = await complaints(name, source(before, inside));
    const [first] = words.match(/\berror: .*/) ?? ['no error'];
    if (!sentence.test(first)) return `the first error is\n  ${first}\nand not ${sentence}`;
    const lines = words.trim().split('\n').length;
    return lines > linesMax ? `the compiler writes ${lines} lines, and ${linesMax} are enough:\n${words}` : '';
}

try {
    // Read once for all of them.
    mkdirSync(join(folder, 'server'));
    const header = join(folder, 'server/server.hpp.gch');
    execFileSync(compiler, [...flags, '-w', '-x', 'c++-header', join(root, 'server/server.hpp'), '-o', header], {stdio: 'inherit'});
    const words = await complaints('nothing wrong', right);
    if (words !== '') throw new Error(`the compiler complains of a program without a mistake:\n${words}`);
    const faults = [];
    const waiting = Object.entries(mistakes);
    const work = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
            const [name, [before, inside, sentence]] = next;
            const what = await fault(name, before, inside, sentence);
            console.log(`${what ? 'not ok' : 'ok'} - ${name}`);
            if (what) faults.push(`${name}: ${what}`);
        }
    };
    await Promise.all([work(), work()]);
    if (faults.length > 0) throw new Error(faults.join('\n\n'));
} finally {
    rmSync(folder, {recursive: true, force: true});
}
