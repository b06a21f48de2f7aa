// Claims about types, for the files that tsc alone checks.

/** `true` where both are the same type. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile where the claim is false. */
export function is<T extends true>(): T | undefined {
    return undefined;
}

/** The messages of a chat, which all these files speak of. */
export interface ChatMessages {
    'chat.message': {user: string; text: string};
    'chat.typing': {user: string};
}
