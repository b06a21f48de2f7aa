import assert from 'node:assert/strict';
import {test} from 'node:test';
import {bashCompletion, manual, optionsIn} from './help_pages.mjs';

const help = `A server
Usage: server [OPTIONS]

Options:
  -h,--help                   Print this help
  --port UINT:INT in [0 - 65535]=8080
                              TCP port to listen on; 0 takes
                              any free one
  --config FILE               Config file
  --log-level TEXT=info       debug, info, warning, error or off

More words, which are no options.
  --this is none
`;

test('the options of a help text are its names, values, defaults and texts', () => {
    assert.deepEqual(optionsIn(help), [
        {names: ['-h', '--help'], value: '', fallback: '', text: 'Print this help'},
        {names: ['--port'], value: 'UINT', fallback: '8080', text: 'TCP port to listen on; 0 takes any free one'},
        {names: ['--config'], value: 'FILE', fallback: '', text: 'Config file'},
        {names: ['--log-level'], value: 'TEXT', fallback: 'info', text: 'debug, info, warning, error or off'},
    ]);
});

test('a manual shows them, with everything escaped that roff would read', () => {
    const page = manual('.TH X 8 @DATE@ "x @VERSION@"\n@OPTIONS@\n', {
        version: '1.2.3', date: new Date(0), options: [{names: ['--a'], value: 'X', fallback: '', text: '.dot \\ and - $&'}]});
    assert.equal(manual('@BACKUP_OPTIONS@', {version: '1', date: new Date(0), options: [], commands: {
        backup: [{names: ['--data'], value: 'FOLDER', fallback: '', text: 'The folder'}]}}), '.TP\n\\fB\\-\\-data\\fR \\fIFOLDER\\fR\nThe folder.');
    assert.equal(page, '.TH X 8 1970-01-01 "x 1.2.3"\n.TP\n\\fB\\-\\-a\\fR \\fIX\\fR\n\\&.dot \\e and \\- $&.\n');
});

test('a completion knows flags, values, files and commands', () => {
    const text = bashCompletion('server', optionsIn(help), {token: [{names: ['--user'], value: 'TEXT', fallback: '', text: ''}]});
    assert.match(text, /--log-level\) .*'debug info warning error off'/);
    assert.match(text, /--config\) .*compgen -f/);
    assert.match(text, /token\) flags='--user'/);
    assert.match(text, /complete -o filenames -F _server server/);
});
