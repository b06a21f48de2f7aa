/**
 * A WebAssembly module as a text that compresses well. In a module, opcodes, numbers of variables and offsets in memory
 * stand side by side, and each spoils Brotli's guess of the next. Taken apart by kind, the same module is 8 % smaller,
 * compressed. What can be known from the rest is left out: the sizes of functions, and the alignments of loads and stores,
 * which are hints that engines of today ignore (0 is always right).
 *
 * The bytes have these parts, one after the other: where the other parts end (two bytes each), what stands before the code,
 * the numbers of local variables, the offsets in memory, and all the rest.
 */
import {fromText, toText} from './inline_bytes.js';

export {turns} from './inline_bytes.js';

const locals = 1;
const offsets = 2;
const rest = 3;
const headAt = 6;
const codeSection = 10;
/** A byte above is not the last one of a number of variable length (LEB128). */
const lastMax = 127;
/** Operands by opcode, up to the last that has one: a number, a local variable, an offset in memory, or a table of branches. */
const operands = '  nnn       nnb n               lllnn   mmmmmmmmmmmmmmmmmmmmmmmnnnn';

/** Moves the next byte of a part and returns it. */
type Move = (part: number) => number;

/** Moves a number; no value above 32 bits is looked at. */
function moveNumber(move: Move, part: number): number {
    const byte = move(part);
    return byte > lastMax ? byte - 128 + (moveNumber(move, part) << 7) : byte;
}

function moveNumbers(move: Move, count: number): void {
    while (count-- > 0) moveNumber(move, rest);
}

/** Moves a function. Making the text and reading it differ only in `move`, and in what they do with an alignment. */
function moveFunction(move: Move, align: () => void): void {
    // Groups of local variables: how many, and of which type.
    moveNumbers(move, moveNumber(move, rest) * 2);
    for (let depth = 1; depth; ) {
        const opcode = move(rest);
        const operand = operands[opcode];
        // block, loop and if; end
        if (opcode > 1 && opcode < 5) depth++;
        if (opcode === 11) depth--;
        if (operand === 'n') moveNumber(move, rest);
        if (operand === 'l') moveNumber(move, locals);
        if (operand === 'm') {
            align();
            moveNumber(move, offsets);
        }
        if (operand === 'b') moveNumbers(move, moveNumber(move, rest) + 1);
        // A second opcode: memory.copy has two numbers and memory.fill one, conversions have none.
        if (opcode === 0xfc) {
            const second = moveNumber(move, rest);
            if (second > 9) moveNumbers(move, 12 - second);
        }
    }
}

/** The bytes of a number. */
function bytesOf(value: number): number[] {
    return value > lastMax ? [(value & lastMax) + 128, ...bytesOf(value >> 7)] : [value];
}

/** Used by the build; `turn` is that of toText(). */
export function toModuleText(module: Uint8Array, turn = 0): string {
    const parts: number[][] = [[], [], [], []];
    let at = 8;
    const move: Move = (part) => {
        parts[part]?.push(module[at]!);
        return module[at++]!;
    };
    const skipNumber = () => moveNumber(move, -1);
    for (let size; module[at] !== codeSection; at += size) {
        at++;
        size = skipNumber();
    }
    const head = module.subarray(0, ++at);
    const end = skipNumber() + at;
    for (let count = moveNumber(move, rest); count > 0; count--) {
        const functionEnd = skipNumber() + at;
        moveFunction(move, skipNumber);
        if (at !== functionEnd) throw new Error(`module_text.ts does not know all opcodes: a function ends at ${functionEnd} and not at ${at}`);
    }
    const all = [head, parts[locals]!, parts[offsets]!];
    let from = headAt;
    const ends = all.map(({length}) => (from += length)).flatMap((end) => [end >> 8, end & 255]);
    return toText(new Uint8Array([ends, ...all, parts[rest]!, module.subarray(end)].flatMap((part) => [...part])), turn);
}

/** Used by the default entry. */
export function fromModuleText(text: string): Uint8Array<ArrayBuffer> {
    const bytes = fromText(text);
    const at = [0, 0, 2, 4].map((i) => bytes[i]! * 256 + bytes[i + 1]!);
    const head = bytes.subarray(headAt, at[locals]);
    const code: number[] = [];
    let body = code;
    const move: Move = (part) => {
        const byte = bytes[at[part]!++]!;
        body.push(byte);
        return byte;
    };
    for (let count = moveNumber(move, rest); count--; ) {
        body = [];
        moveFunction(move, () => body.push(0));
        code.push(...bytesOf(body.length), ...body);
    }
    return new Uint8Array([...head, ...bytesOf(code.length), ...code, ...bytes.subarray(at[rest])]);
}
