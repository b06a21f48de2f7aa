/** The core without WebAssembly; of the default entry a file of its own, which is loaded where it is needed. */
export {default as plainModule} from 'pulsewire.js';
