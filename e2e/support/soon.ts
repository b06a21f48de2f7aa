// Every wait of a test ends: with what was waited for, or with a sentence that says what did not come.

export const soonMs = 15_000;

export async function soon<T>(promise: Promise<T>, what: string | (() => string), ms = soonMs): Promise<T> {
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        deadline = setTimeout(() => {
            reject(new Error(`within ${ms} ms there was no ${typeof what === 'string' ? what : what()}`));
        }, ms);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(deadline);
    }
}
