// Channels that keep state (docs/protocol.md 4.29): the newest snapshot and everything after what it covers.

#include "common/base/random.hpp"
#include "common/hub/test_state_world.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using lines = state_world::lines;

config state_config(std::uint32_t bytes_max = 100'000) {
    config c;
    c.default_namespace.state_bytes_max = bytes_max;
    // Far less than the state.
    c.default_namespace.history_count_max = 3;
    return c;
}

std::unique_ptr<state_world> world_of(const std::string& kind, config c) {
    if (kind == "memory") return std::make_unique<state_in_memory>(std::move(c));
    if (kind == "disk") return std::make_unique<state_on_disk>(std::move(c));
    return std::make_unique<state_in_log>(std::move(c));
}

std::string publish_of(const std::string& text, const std::string& more = {}, int id = 9) {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":"board","type":"stroke")" + more +
           R"(,"payload":")" + text + "\"}";
}

// A snapshot in one part, or one of its parts.
std::string snapshot_of_text(std::uint64_t covers, const std::string& text, const std::string& part = {}) {
    return R"({"op":"publish","id":9,"channel":"board","type":"board","snapshot":{"covers":)" +
           std::to_string(covers) + part + R"(},"payload":")" + text + "\"}";
}

std::string subscribe_at(const std::string& epoch = {}, std::uint64_t offset = 0) {
    std::string line = R"({"op":"subscribe","id":1,"channel":"board","state":true)";
    if (!epoch.empty()) line += R"(,"epoch":")" + epoch + R"(","offset":)" + std::to_string(offset);
    return line + "}";
}

// What a client makes of the lines that it hears, as the SDK does: the state is the text of all payloads.
struct reader {
    std::string state;
    std::string epoch;
    std::uint64_t offset = 0;
    std::string reason;  // of the last `subscribed`
    int wanted = 0;      // snapshots that it was asked for

    void hear(const lines& all) {
        for (const std::string& line : all) hear(line);
    }
    void hear(const std::string& line) {
        const std::string op = member_of(line, "op");
        if (op == "subscribed" || op == "position") {
            const std::string now = member_of(line, "epoch");
            reason = member_of(line, "reason");
            if (op == "subscribed") offset = number(line, "offset");
            epoch = now;
            parts.clear();
            // A state that does not go on is begun anew.
            if (op == "subscribed" && member_of(line, "recovered") != "true") state.clear();
        } else if (op == "snapshot_wanted") {
            ++wanted;
        } else if (!member_of(line, "parts").empty()) {
            if (member_of(line, "part") == "1") parts.clear();
            parts += text(line);
            ASSERT_EQ(
                member_of(line, "part") == member_of(line, "parts"), !member_of(line, "offset").empty()
            );
            if (member_of(line, "offset").empty()) return;
            state = parts;
            offset = number(line, "offset");
        } else if (op.empty() && !member_of(line, "offset").empty()) {
            const std::uint64_t at = number(line, "offset");
            if (at <= offset) return;
            ASSERT_EQ(at, offset + 1) << line;
            offset = at;
            if (member_of(line, "covers").empty()) state += text(line);
        }
    }

    std::string parts;

    static std::uint64_t number(const std::string& line, const std::string& key) {
        return std::stoull(member_of(line, key));
    }
    static std::string text(const std::string& line) {
        const std::string json = member_of(line, "payload");
        return json.substr(1, json.size() - 2);
    }
};

std::string code_in(const lines& heard) {
    for (const std::string& line : heard)
        if (member_of(line, "op") == "error") return member_of(line, "code");
    return {};
}

std::uint64_t offset_in(const lines& heard) {
    std::uint64_t last = 0;
    for (const std::string& line : heard)
        if (member_of(line, "op") == "published") last = reader::number(line, "offset");
    return last;
}

class hub_state : public testing::TestWithParam<const char*> {
protected:
    hub_state() : world(world_of(GetParam(), state_config())) {}
    void begin(config c) { world = world_of(GetParam(), std::move(c)); }

    std::unique_ptr<state_world> world;
};

TEST_P(hub_state, a_late_comer_gets_everything_without_a_snapshot_and_beyond_the_history) {
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    for (const char* letter : {"a", "b", "c", "d", "e", "f"}) world->say(ada, publish_of(letter));
    reader r;
    r.hear(world->ask(bob, subscribe_at()));
    EXPECT_EQ(r.state, "abcdef");
    EXPECT_EQ(r.offset, 6u);
    world->say(ada, publish_of("g"));
    r.hear(world->heard(bob));
    EXPECT_EQ(r.state, "abcdefg");
}

TEST_P(hub_state, a_late_comer_gets_the_snapshot_and_what_came_after_the_offset_that_it_covers) {
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    for (const char* letter : {"a", "b", "c"}) world->say(ada, publish_of(letter));
    EXPECT_EQ(offset_in(world->ask(ada, snapshot_of_text(2, "AB"))), 4u);
    world->say(ada, publish_of("d"));
    const lines heard = world->ask(bob, subscribe_at());
    ASSERT_EQ(heard.size(), 5u);
    EXPECT_EQ(member_of(heard[0], "offset"), "0");
    EXPECT_EQ(member_of(heard[0], "replay"), "4");
    EXPECT_EQ(member_of(heard[1], "payload"), "\"AB\"");
    EXPECT_EQ(member_of(heard[1], "offset"), "2");
    EXPECT_EQ(member_of(heard[1], "parts"), "1");
    // In the place of the snapshot itself stands its mark.
    EXPECT_EQ(member_of(heard[3], "covers"), "2");
    EXPECT_EQ(member_of(heard[3], "payload"), "null");
    reader r;
    r.hear(heard);
    EXPECT_EQ(r.state, "ABcd");
    EXPECT_EQ(r.offset, 5u);
}

TEST_P(hub_state, those_who_have_the_publications_get_a_mark_and_history_has_the_snapshot) {
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    world->ask(bob, R"({"op":"subscribe","id":1,"channel":"board"})");
    world->say(ada, publish_of("a"));
    world->say(ada, snapshot_of_text(1, "A"));
    const lines heard = world->heard(bob);
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(member_of(heard[1], "payload"), "null");
    EXPECT_EQ(member_of(heard[1], "offset"), "2");
    const lines history = world->ask(bob, R"({"op":"history","id":2,"channel":"board"})");
    ASSERT_EQ(history.size(), 1u);
    EXPECT_NE(history[0].find(R"("covers":1)"), std::string::npos);
    EXPECT_NE(history[0].find(R"("payload":"A")"), std::string::npos);
}

TEST_P(
    hub_state,
    a_position_behind_the_snapshot_gets_what_it_missed_and_an_older_one_is_told_that_it_is_compacted
) {
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    for (const char* letter : {"a", "b", "c", "d", "e", "f"}) world->say(ada, publish_of(letter));
    reader r;
    r.hear(world->ask(bob, subscribe_at()));
    const std::string epoch = r.epoch;
    world->say(ada, snapshot_of_text(5, "ABCDE"));
    for (const char* letter : {"g", "h", "i"}) world->say(ada, publish_of(letter));

    const int carl = world->connect("carl-session");
    const lines newer = world->ask(carl, subscribe_at(epoch, 5));
    EXPECT_EQ(member_of(newer[0], "recovered"), "true");
    EXPECT_EQ(members_of(lines(newer.begin() + 1, newer.end()), "offset"), (lines{"6", "7", "8", "9", "10"}));

    const int dora = world->connect("dora-session");
    const lines older = world->ask(dora, subscribe_at(epoch, 2));
    EXPECT_EQ(member_of(older[0], "recovered"), "false");
    EXPECT_EQ(member_of(older[0], "reason"), "compacted");
    // A connection that breaks before the snapshot is there has no place to go on from.
    EXPECT_EQ(member_of(older[0], "offset"), "0");
    reader again;
    again.hear(older);
    EXPECT_EQ(again.state, "ABCDEfghi");

    // In a log that is shared, a node asks itself first whether it is behind.
    if (std::string(GetParam()) == "log") return;
    const int emil = world->connect("emil-session");
    reader lost;
    lost.hear(world->ask(emil, subscribe_at("anotherone", 2)));
    EXPECT_EQ(lost.reason, "epoch_changed");
    EXPECT_EQ(lost.state, "ABCDEfghi");
}

TEST_P(hub_state, a_snapshot_in_parts_counts_when_all_are_there) {
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    for (const char* letter : {"a", "b", "c"}) world->say(ada, publish_of(letter));
    const auto part = [](int n, const std::string& id) {
        return R"(,"id":")" + id + R"(","part":)" + std::to_string(n) + R"(,"parts":3)";
    };
    world->say(ada, snapshot_of_text(3, "A", part(1, "x")));
    world->say(bob, snapshot_of_text(2, "?", part(1, "y")));
    world->say(ada, publish_of("d"));
    world->say(ada, snapshot_of_text(3, "C", part(3, "x")));
    const int early = world->connect("early-session");
    reader r;
    r.hear(world->ask(early, subscribe_at()));
    EXPECT_EQ(r.state, "abcd");
    world->say(ada, snapshot_of_text(3, "B", part(2, "x")));
    world->say(ada, publish_of("e"));
    const int late = world->connect("late-session");
    reader whole;
    whole.hear(world->ask(late, subscribe_at()));
    EXPECT_EQ(whole.state, "ABCde");
    EXPECT_EQ(code_in(world->ask(bob, snapshot_of_text(2, "?", part(2, "y")))), "stale_snapshot");
}

TEST_P(hub_state, of_two_who_offer_at_once_the_one_that_covers_more_counts) {
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    for (const char* letter : {"a", "b", "c"}) world->say(ada, publish_of(letter));
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(3, "ABC"))), "");
    EXPECT_EQ(code_in(world->ask(bob, snapshot_of_text(3, "ABC"))), "stale_snapshot");
    EXPECT_EQ(code_in(world->ask(bob, snapshot_of_text(2, "AB"))), "stale_snapshot");
    EXPECT_EQ(code_in(world->ask(bob, snapshot_of_text(5, "ABC?"))), "invalid_frame");
    EXPECT_EQ(code_in(world->ask(bob, snapshot_of_text(4, "ABC"))), "");
}

TEST_P(hub_state, a_repeated_snapshot_is_answered_with_its_first_place) {
    const int ada = world->connect("ada-session");
    world->say(ada, publish_of("a"));
    std::string line = snapshot_of_text(1, "A");
    line.insert(line.find(R"(,"payload")"), R"(,"key":"once")");
    EXPECT_EQ(offset_in(world->ask(ada, line)), 2u);
    EXPECT_EQ(offset_in(world->ask(ada, line)), 2u);
    std::string other = line;
    other.replace(other.find("\"A\""), 3, "\"B\"");
    EXPECT_EQ(code_in(world->ask(ada, other)), "key_reused");
}

TEST_P(hub_state, a_full_state_refuses_and_asks_until_a_snapshot_makes_room) {
    begin(state_config(4'000));
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    reader r;
    r.hear(world->ask(bob, subscribe_at()));
    std::string code;
    int taken = 0;
    for (; taken < 100; ++taken) {
        code = code_in(world->ask(ada, publish_of("x")));
        if (!code.empty()) break;
    }
    EXPECT_EQ(code, "state_full");
    EXPECT_GT(taken, 5);
    r.hear(world->heard(bob));
    EXPECT_EQ(r.state, std::string(static_cast<std::size_t>(taken), 'x'));
    // First at half, then as it grows on, then with each publish that is refused.
    EXPECT_GT(r.wanted, 2);
    // One that covers little makes little room, and the next one that covers more makes the rest.
    for (const auto& [covers, text] : {std::pair<std::uint64_t, std::string>(2, "xx"), {r.offset, r.state}}) {
        const lines heard = world->ask(bob, snapshot_of_text(covers, text));
        EXPECT_EQ(code_in(heard), "");
        r.hear(heard);
    }
    EXPECT_EQ(code_in(world->ask(ada, publish_of("y"))), "");
    r.hear(world->heard(bob));
    EXPECT_EQ(r.state, std::string(static_cast<std::size_t>(taken), 'x') + "y");
    // Whoever comes late gets the same.
    reader late;
    late.hear(world->ask(world->connect("late-session"), subscribe_at()));
    EXPECT_EQ(late.state, r.state);
}

// The one before has no room beside it, and is not covered by it.
TEST_P(hub_state, a_large_snapshot_takes_the_place_of_one_that_it_does_not_cover) {
    begin(state_config(4'000));
    const int ada = world->connect("ada-session"), bob = world->connect("bob-session");
    reader r;
    r.hear(world->ask(bob, subscribe_at()));
    world->say(ada, publish_of("a"));
    world->say(ada, publish_of("b"));
    world->say(ada, publish_of("c"));
    const std::string large(2'200, 'A');
    // What covers 1 lies behind 3, and what covers 3 behind that.
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(1, large))), "");
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(3, large + "BC"))), "");
    reader late;
    late.hear(world->ask(world->connect("late-session"), subscribe_at()));
    EXPECT_EQ(late.state, large + "BC");
    // One of which a part never came is in nobody's way either.
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(4, large, R"(,"id":"x","part":1,"parts":2)"))), "");
    EXPECT_EQ(code_in(world->ask(ada, publish_of("d"))), "")
        << "it does not count as long as it is not whole";
    const std::uint64_t head = offset_in(world->ask(ada, publish_of("e")));
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(head - 2, large + "BCD"))), "");
    late.hear(world->ask(world->connect("later-session"), subscribe_at()));
    EXPECT_EQ(late.state, large + "BCDde") << "what it says to cover is what it covers";
    r.hear(world->heard(bob));
    EXPECT_EQ(r.state, "abcde");
    if (!world->restart()) return;
    reader after;
    after.hear(world->ask(world->connect("last-session"), subscribe_at()));
    EXPECT_EQ(after.epoch, late.epoch);
    EXPECT_EQ(after.state, late.state);
}

TEST_P(hub_state, a_snapshot_of_a_log_that_was_lost_is_not_taken) {
    const int ada = world->connect("ada-session");
    for (const char* letter : {"a", "b", "c"}) world->say(ada, publish_of(letter));
    reader r;
    r.hear(world->ask(ada, subscribe_at()));
    EXPECT_EQ(
        code_in(world->ask(ada, snapshot_of_text(3, "?", R"(,"epoch":"anotherone")"))), "stale_snapshot"
    );
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(3, "ABC", R"(,"epoch":")" + r.epoch + "\""))), "");
    reader late;
    late.hear(world->ask(world->connect("late-session"), subscribe_at()));
    EXPECT_EQ(late.state, "ABC");
}

TEST_P(hub_state, a_snapshot_that_would_not_fit_is_refused_and_the_state_stays) {
    begin(state_config(4'000));
    const int ada = world->connect("ada-session");
    world->say(ada, publish_of("a"));
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(1, std::string(5'000, 'A')))), "state_full");
    reader r;
    r.hear(world->ask(world->connect("late-session"), subscribe_at()));
    EXPECT_EQ(r.state, "a");
}

TEST_P(hub_state, a_restart_begins_with_the_same_state) {
    const int ada = world->connect("ada-session");
    for (const char* letter : {"a", "b", "c", "d", "e", "f"}) world->say(ada, publish_of(letter));
    world->say(ada, snapshot_of_text(2, "AB", R"(,"id":"x","part":1,"parts":2)"));
    world->say(ada, publish_of("g"));
    if (!world->restart()) GTEST_SKIP() << "what is in memory is gone";
    const int bob = world->connect("bob-session");
    reader r;
    r.hear(world->ask(bob, subscribe_at()));
    EXPECT_EQ(r.state, "abcdefg");
    // The rest of the parts may come in another life.
    world->say(bob, snapshot_of_text(2, "", R"(,"id":"x","part":2,"parts":2)"));
    world->restart();
    reader late;
    late.hear(world->ask(world->connect("late-session"), subscribe_at()));
    EXPECT_EQ(late.state, "ABcdefg");
    EXPECT_EQ(late.epoch, r.epoch);
}

TEST_P(hub_state, the_histories_of_others_take_nothing_from_a_state_and_a_state_takes_no_more_than_there_is) {
    config c = state_config();
    c.bounds.history_bytes_total_max = 60'000;
    c.namespaces["chat"].history_count_max = 1'000;
    begin(c);
    const int ada = world->connect("ada-session");
    std::string truth;
    for (int i = 0; i < 20; ++i) {
        truth += 'x';
        world->say(ada, publish_of("x"));
    }
    // One shard owns few of these, and all of them together are far beyond the bound.
    for (int i = 0; i < 300; ++i)
        world->say(
            ada, R"({"op":"publish","channel":"chat:)" + std::to_string(i) + R"(","type":"t","payload":")" +
                     std::string(1'000, 'c') + "\"}"
        );
    reader r;
    r.hear(world->ask(world->connect("late-session"), subscribe_at()));
    EXPECT_EQ(r.state, truth);
    std::string code;
    for (int i = 0; i < 300 && code.empty(); ++i)
        code = code_in(world->ask(ada, publish_of(std::string(1'000, 'x'))));
    EXPECT_EQ(code, "state_full");
}

TEST_P(hub_state, a_namespace_without_state_takes_no_snapshot_and_gives_none) {
    config c = state_config(0);
    begin(c);
    const int ada = world->connect("ada-session");
    world->say(ada, publish_of("a"));
    EXPECT_EQ(code_in(world->ask(ada, snapshot_of_text(1, "A"))), "forbidden");
    EXPECT_EQ(code_in(world->ask(ada, subscribe_at())), "forbidden");
}

TEST_P(hub_state, what_is_no_snapshot_is_named) {
    const int ada = world->connect("ada-session");
    world->say(ada, publish_of("a"));
    for (const char* wrong :
         {R"("snapshot":1)", R"("snapshot":{})", R"("snapshot":{"covers":0})", R"("snapshot":{"covers":"1"})",
          R"("snapshot":{"covers":1,"part":2,"parts":1})", R"("snapshot":{"covers":1,"part":1,"parts":2})",
          R"("snapshot":{"covers":1,"id":"x"})", R"("snapshot":"1")",
          R"("snapshot":{"covers":1,"id":"x","part":1,"parts":1025})", R"("snapshot":[1])",
          R"("transient":true,"snapshot":{"covers":1})"}) {
        const std::string line = R"({"op":"publish","id":9,"channel":"board","type":"t",)" +
                                 std::string(wrong) + R"(,"payload":1})";
        EXPECT_EQ(code_in(world->ask(ada, line)), "invalid_frame") << wrong;
    }
}

// A fold beside every reader: whatever happens, the state of a reader is what was published, in its order.
TEST_P(hub_state, readers_that_come_and_go_while_others_offer_hold_what_was_published) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(seed);
        begin(state_config(6'000));
        std::uint64_t random = seed;
        const auto below = [&](std::uint32_t n) { return next_random(random, n); };
        int writer = world->connect("writer-session");
        std::string truth;                       // what was published
        std::vector<std::string> at_offset{""};  // ... up to each offset
        std::vector<int> clients(3, -1);
        std::vector<reader> readers(3);
        int names = 0;
        const auto look = [&](std::size_t i) { readers[i].hear(world->heard(clients[i])); };
        for (int step = 0; step < 150; ++step) {
            const std::size_t i = below(3);
            if (below(50) == 0 && world->restart()) {
                writer = world->connect("writer-" + std::to_string(1'000 + ++names));
                clients.assign(3, -1);
            }
            switch (below(8)) {
                case 0: {  // comes, goes, comes back with its place
                    reader& r = readers[i];
                    if (clients[i] >= 0) look(i), world->close(clients[i]);
                    clients[i] = world->connect("reader-" + std::to_string(1'000 + ++names));
                    if (below(4) == 0) r = {};
                    r.hear(world->ask(clients[i], subscribe_at(r.epoch, r.offset)));
                    break;
                }
                case 1: {
                    if (at_offset.size() < 2) break;
                    const std::uint64_t covers = 1 + below(static_cast<std::uint32_t>(at_offset.size() - 1));
                    const std::string text = at_offset[covers];
                    const bool in_parts = below(2) == 0;
                    const std::string id = R"(,"id":"o)" + std::to_string(step) + R"(","part":)";
                    const std::size_t half = text.size() / 2;
                    const lines answers =
                        in_parts ? world->ask(
                                       writer,
                                       snapshot_of_text(covers, text.substr(0, half), id + R"(1,"parts":2)")
                                   )
                                 : world->ask(writer, snapshot_of_text(covers, text));
                    if (offset_in(answers) == 0) break;
                    at_offset.push_back(truth);
                    if (!in_parts || below(4) == 0) break;  // somebody loses the second part
                    const lines second = world->ask(
                        writer, snapshot_of_text(covers, text.substr(half), id + R"(2,"parts":2)")
                    );
                    if (offset_in(second) != 0) at_offset.push_back(truth);
                    break;
                }
                default: {
                    const std::string letter(1, static_cast<char>('a' + below(26)));
                    const std::uint64_t offset = offset_in(world->ask(writer, publish_of(letter)));
                    if (offset == 0) break;
                    truth += letter;
                    at_offset.push_back(truth);
                    ASSERT_EQ(offset + 1, at_offset.size());
                }
            }
        }
        for (std::size_t i = 0; i < 3; ++i) {
            if (clients[i] < 0) continue;
            look(i);
            EXPECT_EQ(readers[i].state, truth);
        }
        reader late;
        late.hear(world->ask(world->connect("late-session"), subscribe_at()));
        EXPECT_EQ(late.state, truth);
    }
}

INSTANTIATE_TEST_SUITE_P(
    kept, hub_state, testing::Values("memory", "disk", "log"),
    [](const testing::TestParamInfo<const char*>& kind) { return std::string(kind.param); }
);

}  // namespace
}  // namespace pulsewire::hub
