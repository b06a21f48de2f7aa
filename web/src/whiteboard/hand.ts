// The reader's hand: a pointer that draws while it is pressed, or the arrow keys, which draw while the pen is down. Places are
// shares of the board's width and height.

const pointsMax = 500;   // of one line, as the server allows; a longer one goes on as another
const nearest = 0.0025;  // points that are closer to each other are one
const keyStep = 0.015;
const arrows: Record<string, [number, number]> = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

type Place = [x: number, y: number];

export class Hand {
    /** x and y in turns of what is being drawn; empty while the pen is up. */
    line: number[] = [];
    readonly #board: HTMLElement;
    #place: Place = [0.5, 0.5];
    #drawing: number | undefined;  // the pointer that draws
    #penDown = false;              // by the keyboard
    #moved: (place: Place, line: number[], lifted: boolean) => void = () => {};
    #done: (line: number[]) => void = () => {};

    constructor(board: HTMLElement) {
        this.#board = board;
        board.addEventListener('pointerdown', (event) => this.#press(event));
        board.addEventListener('pointermove', (event) => this.#move(event));
        for (const end of ['pointerup', 'pointercancel'] as const) board.addEventListener(end, (event) => this.#lift(event));
        board.addEventListener('keydown', (event) => this.#key(event));
        board.addEventListener('blur', () => this.#endKeyLine());
    }

    /** Called with each place of the pointer, with the line so far, and whether the pen was lifted just now. */
    onMove(moved: (place: Place, line: number[], lifted: boolean) => void): void {
        this.#moved = moved;
    }

    /** Called with each line that is complete. */
    onLine(done: (line: number[]) => void): void {
        this.#done = done;
    }

    #press(event: PointerEvent): void {
        if (event.button !== 0 || this.#drawing !== undefined) return;
        this.#endKeyLine();
        this.#drawing = event.pointerId;
        this.#board.setPointerCapture(event.pointerId);
        this.#go(this.#placeOf(event), true);
    }

    #move(event: PointerEvent): void {
        if (this.#drawing !== undefined && event.pointerId !== this.#drawing) return;
        // A fast hand moves more often than the screen is painted.
        const events = this.#drawing !== undefined && event.getCoalescedEvents ? event.getCoalescedEvents() : [];
        for (const each of events.length > 0 ? events : [event]) this.#go(this.#placeOf(each), this.#drawing !== undefined || this.#penDown);
    }

    #lift(event: PointerEvent): void {
        if (event.pointerId !== this.#drawing) return;
        this.#drawing = undefined;
        this.#end();
    }

    #key(event: KeyboardEvent): void {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const way = arrows[event.key];
        if (way) this.#go([this.#place[0] + way[0] * keyStep, this.#place[1] + way[1] * keyStep], this.#penDown);
        else if (event.key === ' ' || event.key === 'Enter') this.#penDown ? this.#endKeyLine() : this.#beginKeyLine();
        else return;
        event.preventDefault();
    }

    #beginKeyLine(): void {
        this.#penDown = true;
        this.#go(this.#place, true);
    }

    #endKeyLine(): void {
        if (!this.#penDown) return;
        this.#penDown = false;
        this.#end();
    }

    #go([x, y]: Place, draws: boolean): void {
        const place: Place = [share(x), share(y)];
        this.#place = place;
        this.#board.style.setProperty('--own-x', String(place[0]));
        this.#board.style.setProperty('--own-y', String(place[1]));
        this.#board.dataset.pen = draws ? 'down' : 'up';
        if (draws) {
            const [lastX = Infinity, lastY = Infinity] = this.line.slice(-2);
            if (Math.hypot(place[0] - lastX, place[1] - lastY) >= nearest) this.line.push(...place);
        }
        this.#moved(place, this.line, false);
        if (this.line.length < 2 * pointsMax) return;
        this.#end();
        this.line = [...place];
    }

    #end(): void {
        const line = this.line;
        this.line = [];
        this.#board.dataset.pen = 'up';
        if (line.length > 0) this.#done(line);
        this.#moved(this.#place, this.line, true);
    }

    #placeOf({clientX, clientY}: PointerEvent): Place {
        const {left, top, width, height} = this.#board.getBoundingClientRect();
        return [(clientX - left) / width, (clientY - top) / height];
    }
}

const share = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
