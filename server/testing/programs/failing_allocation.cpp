// A hub with its store goes through a short life, and the n-th allocation in it fails:
//
//     failing_allocation FOLDER N
//
// Each acknowledged publish is a line "KEY CHANNEL OFFSET" on standard output at once. Ends with 0 when N is
// beyond the last allocation.

#include "common/hub/hub.hpp"
#include "server/out_of_memory.hpp"
#include "server/storage/log_store.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

namespace {

std::atomic<long> allocations_left{-1};  // negative: none fails

void* allocate(std::size_t bytes) {
    while (true) {
        void* memory = nullptr;
        if (allocations_left.load() < 0 || allocations_left.fetch_sub(1) != 0) memory = std::malloc(bytes);
        if (memory != nullptr) return memory;
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

}  // namespace

#ifndef __clang__
// g++ 12 with -fsanitize=thread takes these for a mismatched pair.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t bytes) {
    return allocate(bytes);
}
void* operator new[](std::size_t bytes) {
    return allocate(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

using namespace pulsewire;

// Without allocating.
void acknowledge(const hub::message& m) {
    char line[128];
    const int size = std::snprintf(
        line, sizeof line, "k%llu %.*s %llu\n", static_cast<unsigned long long>(m.id),
        static_cast<int>(m.channel().size()), m.channel().data(), static_cast<unsigned long long>(m.offset)
    );
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, line, static_cast<std::size_t>(size));
}

void carry_out(hub::hub& h, shell::log_store& store, hub::instant now) {
    while (!h.out().empty()) {
        hub::output work;
        std::swap(work, h.out());
        for (const hub::output::send& s : work.sends)
            if (s.what->kind == hub::message_kind::published) acknowledge(*s.what);
        if (work.stores.empty()) continue;
        if (store.write(work.stores)) std::abort();
        h.stored(work.stores.back().number, now);
    }
}

void live(hub::hub& h, shell::log_store& store) {
    hub::instant now{1'000, 1'700'000'000'000};
    const auto say = [&](std::uint64_t connection, std::string_view lines) {
        h.receive(connection, lines, now);
        carry_out(h, store, now);
    };
    h.open(1, hub::face::protocol, {}, {}, now);
    h.open(2, hub::face::protocol_stream, "secret", {}, now);
    say(1, R"({"op":"connect","version":1,"session":"publisher"})");
    say(2, R"({"op":"connect","version":1,"session":"listener-1"})");
    say(2, R"({"op":"subscribe","id":1,"channel":"a","presence":true,"payload":{"name":"Ada"}})");
    for (int i = 1; i <= 4; ++i) {
        const std::string n = std::to_string(i);
        say(1, R"({"op":"publish","id":)" + n + R"(,"key":"k)" + n + R"(","channel":")" +
                   (i % 2 == 0 ? "a" : "b") + R"(","type":"t","payload":")" + n +
                   R"( and a payload that does not fit into a small string"})");
    }
    say(2, R"({"op":"history","id":9,"channel":"a","backwards":true})");
    say(2, R"({"op":"unsubscribe","id":10,"channel":"a"})");
    now.monotonic_ms += 60'000;
    h.tick(now);
    carry_out(h, store, now);
    h.closed(1, now);
    h.closed(2, now);
    carry_out(h, store, now);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    end_process_without_memory();
    shell::log_store store(argv[1]);
    hub::config c;
    c.store_id = store.id();
    c.store_generation = store.generation();
    c.default_namespace.keeps = durability::disk;
    hub::hub h(c);
    allocations_left = std::atol(argv[2]);
    live(h, store);
    allocations_left = -1;
    return 0;
}
