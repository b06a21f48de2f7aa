// Runs in the head, before the first paint: applies the theme that the reader chose here earlier, if any; otherwise the
// system's holds. Also shows where in the bar the reader is. Stands alone on purpose, not as a module, because a module would run after the first paint.

const key = 'pulsewire-theme';
const root = document.documentElement;

const stored = (): string | null => {
    try {
        return localStorage.getItem(key);
    } catch {
        return null;  // storage is switched off: the system's theme holds
    }
};

const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = (): boolean => (root.dataset.theme ? root.dataset.theme === 'dark' : systemDark.matches);

const chosen = stored();
if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen;

addEventListener('DOMContentLoaded', () => {
    // On a phone the bar of pages is wider than the screen.
    const bar = document.querySelector('.nav');
    const current = bar?.querySelector<HTMLElement>('[aria-current]');
    if (bar && current) bar.scrollLeft = current.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2;
    const button = document.getElementById('theme');
    if (!button) return;
    const label = (): void => {
        const text = isDark() ? 'Switch to the light theme' : 'Switch to the dark theme';
        button.setAttribute('aria-label', text);
        button.title = text;
    };
    button.addEventListener('click', () => {
        root.dataset.theme = isDark() ? 'light' : 'dark';
        try {
            localStorage.setItem(key, root.dataset.theme);
        } catch {
            // Without storage the choice holds for this page only.
        }
        label();
    });
    systemDark.addEventListener('change', label);
    label();
});
