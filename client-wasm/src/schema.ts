import {check, invalid} from './base/check.js';
import {PulsewireError} from './base/errors.js';
import {kindOf} from './base/json.js';
import {checkType} from './base/names.js';
import type {Channel} from './client/channel.js';
import type {PublishOptions} from './client/channel_options.js';
import type {Position} from './client/events.js';
import {guarded} from './client/guarded.js';
import type {Message} from './client/message.js';

/** A schema of any library that speaks Standard Schema (https://standardschema.dev): zod, valibot, ArkType and others. */
export interface StandardSchema<Input = unknown, Output = Input> {
    readonly '~standard': {
        readonly version: 1;
        readonly vendor: string;
        readonly validate: (value: unknown, ...more: any[]) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
        readonly types?: {readonly input: Input; readonly output: Output} | undefined;
    };
}

/** The word of a schema about a value: `issues` where it does not fit. */
export type SchemaResult<Output> =
    | {readonly value: Output; readonly issues?: undefined}
    | {readonly issues: readonly SchemaIssue[]};

/** One thing that is wrong with a value. */
export interface SchemaIssue {
    readonly message: string;
    readonly path?: readonly (PropertyKey | {readonly key: PropertyKey})[] | undefined;
}

/** Message types with their schemas. */
export type Schemas = Readonly<Record<string, StandardSchema<any, any>>>;

/** The payloads that handlers get: what the schemas make of those that arrive. */
export type Checked<S extends Schemas> = {[K in keyof S]: S[K] extends StandardSchema<any, infer Output> ? Output : never};

/** The payloads that publish() takes. */
export type Publishable<S extends Schemas> = {[K in keyof S]: S[K] extends StandardSchema<infer Input, any> ? Input : never};

/** A channel whose payloads are checked. */
export type CheckedChannel<S extends Schemas> = Channel<Checked<S>> & {
    publish<K extends keyof S & string>(type: K, payload: Publishable<S>[K], options?: PublishOptions): Promise<Position | undefined>;
};

/** The checked types of each channel, by its own object. */
const known = new WeakMap<Channel<any>, Map<string, StandardSchema>>();
/** Places in payloads that are named, as the console remembers what it was told, and whoever writes the payloads chooses them. */
const pointersMax = 100;
const pointerCharactersMax = 200;

/**
 * Checks the payloads of these types against schemas, for everybody who uses the channel: what arrives and does not fit is
 * given to no handler, loop, list or history, but told to {@link ConnectOptions.onError} as `invalid_payload`; publish() rejects with
 * `invalid_payload` and sends nothing. Other types are not looked at. Gives the same channel, with the types of the schemas.
 * A type that is named again gets the new schema. Schemas have to answer at once: an asynchronous one fits nothing.
 */
export function checked<S extends Schemas>(channel: Channel<any>, types: S): CheckedChannel<S> {
    check('types', types, /^Object/);
    for (const [type, schema] of Object.entries(types)) {
        checkType(type);
        if (typeof schema?.['~standard']?.validate !== 'function') throw invalid(`the schema of ${type} is no Standard Schema`);
    }
    const self = channel.self();
    let schemas = known.get(self);
    if (!schemas) known.set(self, (schemas = watch(self)));
    for (const [type, schema] of Object.entries(types)) schemas.set(type, schema);
    return channel as CheckedChannel<S>;
}

/** Stands in the way of all that comes and goes. */
function watch(channel: Channel<any>): Map<string, StandardSchema> {
    const schemas = new Map<string, StandardSchema>();
    const {session, name} = channel;
    const pass = channel.pass.bind(channel);
    const read = channel.read.bind(channel);
    const publish = channel.publish.bind(channel);
    const told = new Set<string>();

    /** The message as its schema makes it; undefined where it does not fit. */
    const fitting = (message: Message): Message | undefined => {
        const schema = schemas.get(message.type);
        if (!schema) return message;
        try {
            const value = valueFrom(schema, message.type, message.payload);
            return Object.defineProperty(message, 'payload', {value, configurable: true, enumerable: true, writable: true});
        } catch (error: any) {
            const {pointer = ''} = error;
            if (told.size < pointersMax) told.add(pointer);
            const shown = told.has(pointer) ? error : new PulsewireError(error.code, `The payload of ${message.type} does not fit its schema.`, {pointer});
            return void session.unheard(shown, `a message of channel ${name}`);
        }
    };

    channel.pass = (message) => {
        const fits = fitting(message);
        if (fits) pass(fits);
    };
    channel.read = async (options) => {
        const page = await read(options);
        return {...page, messages: page.messages.map(fitting).filter((message) => message !== undefined)};
    };
    channel.publish = (type, payload, options) => {
        const schema = schemas.get(type);
        const refused = (error: unknown) => guarded(Promise.reject(error), (unheard) => session.unheard(unheard, `publishing ${type} in channel ${name}`));
        try {
            // The payload that the others will get: an undefined member has gone, a Date is a text, a Blob its bytes.
            const data = schema && channel.data(payload);
            if (data instanceof Promise) return data.then((bytes) => channel.publish(type, bytes, options), refused);
            if (schema) valueFrom(schema, type, typeof data === 'string' ? JSON.parse(data) : data);
        } catch (error) {
            return refused(error);
        }
        return publish(type, payload, options);
    };
    return schemas;
}

/** Throws `invalid_payload` with the place, and never with the value, which may be anybody's secret. */
function valueFrom(schema: StandardSchema, type: string, payload: unknown): unknown {
    const result = schema['~standard'].validate(payload);
    if (result instanceof Promise) {
        result.catch(() => {});
        throw invalid(`the schema of ${type} is asynchronous: messages keep their order, so that none waits for it`);
    }
    const {issues} = result;
    if (!issues) return result.value;
    const path = (issues[0]?.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
    let found: any = payload;
    for (const part of path) found = found?.[part];
    const pointer = path.map((part) => '/' + String(part).replace(/~/g, '~0').replace(/\//g, '~1')).join('');
    const place = pointer ? `at ${pointer.slice(0, pointerCharactersMax)}` : 'as a whole';
    const kind = found === undefined ? 'nothing' : kindOf(found);
    const more = issues.length > 1 ? `; ${issues.length - 1} more places do not fit either` : '';
    throw new PulsewireError('invalid_payload', `The payload of ${type} does not fit its schema ${place}, where it has ${kind}${more}.`, {pointer});
}
