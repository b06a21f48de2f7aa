// Where the reader wants to go: the arrow keys or WASD, or a finger or mouse that is held down in the arena, towards it.

type Way = [x: number, y: number];

const keys: Record<string, Way> = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    a: [-1, 0], d: [1, 0], w: [0, -1], s: [0, 1],
};
const fullSpeedFrom = 0.12;  // of the arena's width; nearer is slower
const standsStill = 0.015;

export class Steering {
    readonly #arena: HTMLElement;
    readonly #own: () => {x: number; y: number} | undefined;
    readonly #held = new Set<string>();
    #pointer: {id: number; x: number; y: number} | undefined;

    /** `own` says where the reader's player is. */
    constructor(arena: HTMLElement, own: () => {x: number; y: number} | undefined) {
        this.#arena = arena;
        this.#own = own;
        arena.addEventListener('keydown', (event) => {
            if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
            event.preventDefault();
            this.#held.add(event.key);
        });
        addEventListener('keyup', ({key}) => this.#held.delete(key));
        for (const gone of ['blur', 'pagehide']) addEventListener(gone, () => this.#stop());
        arena.addEventListener('blur', () => this.#held.clear());

        arena.addEventListener('pointerdown', (event) => {
            arena.setPointerCapture(event.pointerId);
            this.#follow(event);
        });
        arena.addEventListener('pointermove', (event) => { if (event.pointerId === this.#pointer?.id) this.#follow(event); });
        for (const end of ['pointerup', 'pointercancel']) arena.addEventListener(end, () => { this.#pointer = undefined; });
    }

    /** At most 1 long. */
    get way(): Way {
        const [x, y] = this.#pointer ? this.#towardsPointer() : this.#byKeys();
        const length = Math.hypot(x, y);
        return length > 1 ? [x / length, y / length] : [x, y];
    }

    #byKeys(): Way {
        return [...this.#held].map((key) => keys[key]!).reduce(([x, y], [dx, dy]) => [x + dx, y + dy], [0, 0]);
    }

    #towardsPointer(): Way {
        const own = this.#own();
        if (!own) return [0, 0];
        const [x, y] = [this.#pointer!.x - own.x, this.#pointer!.y - own.y];
        return Math.hypot(x, y) < standsStill ? [0, 0] : [x / fullSpeedFrom, y / fullSpeedFrom];
    }

    #follow({pointerId, clientX, clientY}: PointerEvent): void {
        const {left, top, width, height} = this.#arena.getBoundingClientRect();
        this.#pointer = {id: pointerId, x: (clientX - left) / width, y: (clientY - top) / height};
    }

    #stop(): void {
        this.#held.clear();
        this.#pointer = undefined;
    }
}
