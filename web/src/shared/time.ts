// Stamps, in the reader's own language and time zone.

const timeFormat = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});
const dayFormat = new Intl.DateTimeFormat(undefined, {weekday: 'long', day: 'numeric', month: 'long'});

export const timeText = (ms: number): string => timeFormat.format(ms);

export function dayText(ms: number): string {
    const today = new Date();
    const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
    if (sameDay(ms, today.getTime())) return 'Today';
    if (sameDay(ms, yesterday.getTime())) return 'Yesterday';
    return dayFormat.format(ms);
}

export const sameDay = (a: number, b: number): boolean => new Date(a).toDateString() === new Date(b).toDateString();
