// A C library in a twentieth of its size: memory from the end of the module's own, and no way to print.
// emmalloc and printf would be a quarter of the download.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

extern "C" unsigned char __heap_base;

namespace {

constexpr std::size_t page_bytes = 65'536;
constexpr std::uint32_t smallest_class = 4;

// Blocks are powers of two from 16 bytes; a freed one waits in the list of its size and is never given back.
// That fits buffers that grow by doubling and names of a few dozen bytes, which is all that the client
// allocates.
struct block {
    block* next;
};
block* free_blocks[32];
std::uintptr_t top = reinterpret_cast<std::uintptr_t>(&__heap_base);

block* new_block(std::size_t bytes) {
    const std::uintptr_t begin = top;
    top += bytes;
    const std::size_t have = __builtin_wasm_memory_size(0) * page_bytes;
    if (top > have && __builtin_wasm_memory_grow(0, (top - have + page_bytes - 1) / page_bytes) == SIZE_MAX)
        __builtin_trap();
    return reinterpret_cast<block*>(begin);
}

}  // namespace

// A block begins with its class, then come the bytes that the caller gets, aligned to eight.
extern "C" void* malloc(std::size_t size) {
    const std::uint32_t size_class =
        size <= 8 ? smallest_class
                  : 32 - static_cast<std::uint32_t>(__builtin_clz(static_cast<std::uint32_t>(size) + 7));
    block*& first = free_blocks[size_class];
    block* taken = first;
    if (taken != nullptr) {
        first = taken->next;
    } else {
        taken = new_block(std::size_t{1} << size_class);
    }
    auto* words = reinterpret_cast<std::uint32_t*>(taken);
    *words = size_class;
    return words + 2;
}

extern "C" __attribute__((noinline)) void free(void* bytes) {
    if (bytes == nullptr) return;
    auto* words = static_cast<std::uint32_t*>(bytes) - 2;
    block*& first = free_blocks[*words];
    auto* freed = reinterpret_cast<block*>(words);
    freed->next = first;
    first = freed;
}

void* operator new(std::size_t size) {
    return malloc(size);
}
void operator delete(void* bytes) noexcept {
    free(bytes);
}
void operator delete(void* bytes, std::size_t) noexcept {
    free(bytes);
}

// One instruction each with the bulk-memory feature.
extern "C" void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
    return __builtin_memcpy(to, from, size);
}
extern "C" void* __wrap_memmove(void* to, const void* from, std::size_t size) {
    return __builtin_memmove(to, from, size);
}
extern "C" void* __wrap_memset(void* to, int byte, std::size_t size) {
    return __builtin_memset(to, byte, size);
}

// Out of memory and the like: a trap, which JavaScript sees as an exception. The words would take printf.
extern "C" void __wrap_abort_message(const char*, ...) {
    __builtin_trap();
}
extern "C" void __wrap_abort() {
    __builtin_trap();
}
