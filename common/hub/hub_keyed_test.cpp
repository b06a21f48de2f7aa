// Channels whose state is the newest publication of each key (docs/protocol.md 4.32).

#include "common/base/random.hpp"
#include "common/hub/test_state_world.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace pulsewire::hub {
namespace {

using lines = state_world::lines;

config keyed_config(std::uint32_t bytes_max = 100'000) {
    config c;
    c.default_namespace.state_bytes_max = bytes_max;
    c.default_namespace.keyed = true;
    // Far less than the state.
    c.default_namespace.history_count_max = 3;
    return c;
}

std::unique_ptr<state_world> world_of(const std::string& kind, config c) {
    if (kind == "memory") return std::make_unique<state_in_memory>(std::move(c));
    if (kind == "disk") return std::make_unique<state_on_disk>(std::move(c));
    return std::make_unique<state_in_log>(std::move(c));
}

std::string set(const std::string& key, const std::string& payload, const std::string& more = {}) {
    return R"({"op":"publish","id":9,"channel":"board","type":"price","conflate":")" + key + "\"" + more +
           R"(,"payload":)" + payload + "}";
}
std::string only_if(std::uint64_t offset) {
    return R"(,"if_offset":)" + std::to_string(offset);
}

std::string subscribe_at(const std::string& epoch = {}, std::uint64_t offset = 0) {
    std::string line = R"({"op":"subscribe","id":1,"channel":"board","state":true)";
    if (!epoch.empty()) line += R"(,"epoch":")" + epoch + R"(","offset":)" + std::to_string(offset);
    return line + "}";
}

std::uint64_t number_in(const std::string& line, const std::string& member) {
    const std::string text = member_of(line, member);
    return text.empty() ? 0 : std::stoull(text);
}

// The payload and the offset of each key.
using table = std::map<std::string, std::pair<std::uint64_t, std::string>>;

// What a client makes of what it hears.
struct reader {
    table state;
    std::string epoch;
    std::uint64_t offset = 0;
    std::string reason;
    int parts = 0;

    void hear(const lines& all) {
        for (const std::string& line : all) hear(line);
    }
    void hear(const std::string& line) {
        const std::string op = member_of(line, "op");
        if (op == "subscribed") {
            epoch = member_of(line, "epoch");
            reason = member_of(line, "reason");
            offset = number_in(line, "offset");
            if (member_of(line, "recovered") != "true") state.clear();
        } else if (!member_of(line, "parts").empty()) {
            ++parts;
            take_part(member_of(line, "payload"));
            if (const std::uint64_t at = number_in(line, "offset")) offset = at;
        } else if (op.empty() && number_in(line, "offset") > offset) {
            ASSERT_EQ(number_in(line, "offset"), offset + 1) << line;
            ++offset;
            if (member_of(line, "covers").empty()) take(line);
        }
    }
    void take_part(const std::string& array) {
        json_scan scan(array);
        ASSERT_TRUE(scan.take('['));
        while (!scan.peek(']')) {
            std::string_view one;
            ASSERT_TRUE(scan.take_value(one, json_depth_max)) << array;
            take(std::string(one));
            if (!scan.take(',')) break;
        }
        ASSERT_TRUE(scan.take(']') && scan.at_end()) << array;
    }
    void take(const std::string& publication) {
        std::string key = member_of(publication, "conflate");
        if (key.empty()) key = member_of(publication, "type");
        const std::string payload = member_of(publication, "payload");
        if (payload == "null")
            state.erase(key);
        else
            state[key] = {number_in(publication, "offset"), payload};
    }
};

std::string answer_in(const lines& heard, const std::string& op) {
    for (const std::string& line : heard)
        if (member_of(line, "op") == op) return line;
    return {};
}
std::string code_in(const lines& heard) {
    return member_of(answer_in(heard, "error"), "code");
}
std::uint64_t offset_in(const lines& heard) {
    return number_in(answer_in(heard, "published"), "offset");
}

class hub_keyed : public testing::TestWithParam<const char*> {
protected:
    hub_keyed() { begin(keyed_config()); }
    void begin(config c) { world = world_of(GetParam(), std::move(c)); }
    reader late_comer() {
        reader r;
        const int client = world->connect("late-" + std::to_string(1'000 + ++late_));
        r.hear(world->ask(client, subscribe_at()));
        world->close(client);
        return r;
    }

    std::unique_ptr<state_world> world;

private:
    int late_ = 0;
};

TEST_P(hub_keyed, a_late_comer_gets_the_newest_of_each_key_and_little_else) {
    begin(keyed_config(4'000));
    const int ada = world->connect("ada-session");
    world->say(ada, set("gone", "1"));
    world->say(ada, set("gone", "null"));
    for (int i = 0; i < 200; ++i) world->say(ada, set("k" + std::to_string(i % 3), std::to_string(i)));
    world->say(ada, R"({"op":"publish","channel":"board","type":"note","payload":"by its type"})");
    const reader late = late_comer();
    EXPECT_EQ(late.parts, 1);
    EXPECT_EQ(late.reason, "");
    ASSERT_EQ(late.state.size(), 4u);
    EXPECT_EQ(late.state.at("k0").second, "198");
    EXPECT_EQ(late.state.at("k1").second, "199");
    EXPECT_EQ(late.state.at("k2").second, "197");
    EXPECT_EQ(late.state.at("note").second, "\"by its type\"");
    EXPECT_GT(late.offset, 203u) << "the server's own snapshots have offsets, too";
}

TEST_P(hub_keyed, who_was_away_gets_what_was_missed_or_the_state) {
    begin(keyed_config(4'000));
    const int ada = world->connect("ada-session");
    world->say(ada, set("a", "1"));
    world->say(ada, set("b", "1"));
    const reader early = late_comer();
    world->say(ada, set("a", "2"));
    reader soon = early;
    soon.hear(world->ask(world->connect("soon-session"), subscribe_at(soon.epoch, soon.offset)));
    EXPECT_EQ(soon.reason, "");
    EXPECT_EQ(soon.parts, 0);
    EXPECT_EQ(soon.state.at("a").second, "2");
    world->say(ada, set("b", "null"));
    for (int i = 0; i < 100; ++i) world->say(ada, set("c", std::to_string(i)));
    reader later = early;
    later.hear(world->ask(world->connect("later-session"), subscribe_at(later.epoch, later.offset)));
    EXPECT_EQ(later.reason, "compacted");
    EXPECT_EQ(later.state.at("a").second, "2");
    EXPECT_EQ(later.state.at("c").second, "99");
    EXPECT_FALSE(later.state.contains("b")) << "a deletion needs no marker that lasts";
}

TEST_P(hub_keyed, a_change_counts_only_after_the_one_that_it_names) {
    const int ada = world->connect("ada-session");
    const std::uint64_t first = offset_in(world->ask(ada, set("a", "1", only_if(0))));
    ASSERT_NE(first, 0u);
    const lines again = world->ask(ada, set("a", "2", only_if(0)));
    EXPECT_EQ(code_in(again), "conflict");
    EXPECT_EQ(number_in(answer_in(again, "error"), "offset"), first);
    EXPECT_EQ(code_in(world->ask(ada, set("b", "2", only_if(first)))), "conflict") << "another key";
    const std::string other_log = only_if(first) + R"(,"epoch":"anotherone")";
    EXPECT_EQ(code_in(world->ask(ada, set("a", "2", other_log))), "conflict");
    const std::string this_log = only_if(first) + R"(,"epoch":")" + late_comer().epoch + "\"";
    const std::uint64_t second = offset_in(world->ask(ada, set("a", "2", this_log)));
    EXPECT_GT(second, first);
    // A deletion is a change like another, and after it there is none.
    EXPECT_EQ(code_in(world->ask(ada, set("a", "null", only_if(first)))), "conflict");
    EXPECT_NE(offset_in(world->ask(ada, set("a", "null", only_if(second)))), 0u);
    const lines gone = world->ask(ada, set("a", "3", only_if(second)));
    EXPECT_EQ(code_in(gone), "conflict");
    EXPECT_EQ(member_of(answer_in(gone, "error"), "offset"), "");
    EXPECT_NE(offset_in(world->ask(ada, set("a", "3", only_if(0)))), 0u);
    EXPECT_EQ(late_comer().state.at("a").second, "3");
}

// It was not known when the snapshot was made, and must be read from it.
TEST_P(hub_keyed, a_change_may_name_one_that_only_a_snapshot_has) {
    begin(keyed_config(4'000));
    const int ada = world->connect("ada-session");
    const std::uint64_t at =
        offset_in(world->ask(ada, set("quiet", R"({"payload":[1,{"offset":77}],"conflate":"x"})")));
    for (int i = 0; i < 60; ++i) world->say(ada, set("loud", std::to_string(i)));
    EXPECT_EQ(late_comer().parts, 1);
    world->restart();
    const int bob = world->connect("bob-session");
    EXPECT_EQ(code_in(world->ask(bob, set("quiet", "2", only_if(at + 1)))), "conflict");
    EXPECT_NE(offset_in(world->ask(bob, set("quiet", "2", only_if(at)))), 0u);
}

TEST_P(hub_keyed, a_repeated_change_is_answered_with_its_place_and_not_with_a_conflict) {
    const int ada = world->connect("ada-session");
    const std::string line = set("a", "1", only_if(0) + R"(,"key":"once")");
    const std::uint64_t first = offset_in(world->ask(ada, line));
    ASSERT_NE(first, 0u);
    EXPECT_EQ(offset_in(world->ask(ada, line)), first);
}

TEST_P(hub_keyed, what_does_not_go_together_is_named) {
    const int ada = world->connect("ada-session");
    world->say(ada, set("a", "1"));
    EXPECT_EQ(code_in(world->ask(ada, set("a", "[]", R"(,"snapshot":{"covers":1})"))), "forbidden");
    EXPECT_EQ(code_in(world->ask(ada, set("a", "1", only_if(1) + R"(,"transient":true)"))), "invalid_frame");
    EXPECT_EQ(code_in(world->ask(ada, set("a", "1", R"(,"if_offset":"1")"))), "invalid_frame");
    config without = keyed_config();
    without.default_namespace.keyed = false;
    begin(without);
    EXPECT_EQ(code_in(world->ask(world->connect("bob-session"), set("a", "1", only_if(0)))), "forbidden");
}

TEST_P(hub_keyed, keys_that_have_no_room_are_refused_until_others_go) {
    begin(keyed_config(8'000));
    const int ada = world->connect("ada-session");
    std::string code;
    int taken = 0;
    for (; taken < 200 && code.empty(); ++taken)
        code = code_in(world->ask(ada, set("k" + std::to_string(taken), std::string(300, '7'))));
    EXPECT_EQ(code, "state_full");
    EXPECT_GT(taken, 16);
    const reader full = late_comer();
    EXPECT_EQ(full.state.size(), static_cast<std::size_t>(taken) - 1);
    // Who has no room for a key can always take another one away.
    for (int i = 0; i < taken - 1; ++i)
        EXPECT_EQ(code_in(world->ask(ada, set("k" + std::to_string(i), "null"))), "") << i;
    EXPECT_EQ(late_comer().state.size(), 0u);
    EXPECT_EQ(code_in(world->ask(ada, set("new", "1"))), "");
}

TEST_P(hub_keyed, a_large_state_comes_in_parts) {
    begin(keyed_config(400'000));
    const int ada = world->connect("ada-session");
    table truth;
    for (int i = 0; i < 700; ++i) {
        const std::string key = "k" + std::to_string(i), payload = "\"" + std::string(150, 'x') + key + "\"";
        truth[key] = {offset_in(world->ask(ada, set(key, payload))), payload};
    }
    const reader late = late_comer();
    EXPECT_EQ(late.state, truth);
    EXPECT_GT(late.parts, 1);
    if (!world->restart()) return;
    EXPECT_EQ(late_comer().state, truth);
}

// Whatever happens, everybody holds the newest of each key, and a change counts exactly where it may.
TEST_P(hub_keyed, readers_that_come_and_go_hold_what_was_published) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(seed);
        begin(keyed_config(seed % 2 == 0 ? 3'000 : 12'000));
        std::uint64_t random = seed;
        const auto below = [&](std::uint32_t n) { return next_random(random, n); };
        int writer = world->connect("writer-session");
        table truth;
        std::vector<int> clients(3, -1);
        std::vector<reader> readers(3);
        int names = 0;
        for (int step = 0; step < 150; ++step) {
            if (below(50) == 0 && world->restart()) {
                writer = world->connect("writer-" + std::to_string(1'000 + ++names));
                clients.assign(3, -1);
            }
            if (below(8) == 0) {
                const std::size_t i = below(3);
                reader& r = readers[i];
                if (clients[i] >= 0) r.hear(world->heard(clients[i])), world->close(clients[i]);
                clients[i] = world->connect("reader-" + std::to_string(1'000 + ++names));
                if (below(4) == 0) r = {};
                r.hear(world->ask(clients[i], subscribe_at(r.epoch, r.offset)));
                continue;
            }
            const std::string key = "k" + std::to_string(below(6));
            const std::string payload = below(4) == 0 ? "null" : std::to_string(step);
            const auto known = truth.find(key);
            const std::uint64_t newest = known == truth.end() ? 0 : known->second.first;
            std::string more;
            bool counts = true;
            if (below(3) == 0) {
                counts = below(2) == 0;
                more = only_if(counts ? newest : newest + 1 + below(5));
            }
            const lines heard = world->ask(writer, set(key, payload, more));
            if (!counts) {
                EXPECT_EQ(code_in(heard), "conflict");
                EXPECT_EQ(number_in(answer_in(heard, "error"), "offset"), newest);
                continue;
            }
            const std::uint64_t offset = offset_in(heard);
            ASSERT_NE(offset, 0u) << answer_in(heard, "error");
            if (payload == "null")
                truth.erase(key);
            else
                truth[key] = {offset, payload};
        }
        for (std::size_t i = 0; i < 3; ++i) {
            if (clients[i] < 0) continue;
            readers[i].hear(world->heard(clients[i]));
            EXPECT_EQ(readers[i].state, truth);
        }
        EXPECT_EQ(late_comer().state, truth);
    }
}

INSTANTIATE_TEST_SUITE_P(
    kept, hub_keyed, testing::Values("memory", "disk", "log"),
    [](const testing::TestParamInfo<const char*>& kind) { return std::string(kind.param); }
);

// What is on its way to the disk counts: of two changes after the same one, only the first may be
// acknowledged.
TEST(hub_keyed, of_two_changes_on_their_way_to_the_disk_one_is_refused) {
    config c = keyed_config();
    c.default_namespace.keeps = durability::disk;
    c.store_id = 7;
    test_node node(1, c);
    const test_node::client ada = node.connect(0, "ada-session");
    node.say(ada, set("a", "1", only_if(0)));
    node.say(ada, set("a", "2", only_if(0)));
    EXPECT_EQ(code_in(node.heard(ada)), "conflict");
    node.write(0);
    node.settle();
    EXPECT_EQ(offset_in(node.heard(ada)), 1u);
    // Where the disk has failed, what was on its way was never there.
    node.say(ada, set("a", "null", only_if(1)));
    const std::uint32_t term = node.unwritten(0).back().term;
    node.unwritten(0).clear();
    node.at(0).store_failed(term, error_code::storage_failed, "the disk is gone", node.now());
    node.carry_out(0);
    EXPECT_EQ(code_in(node.heard(ada)), "storage_failed");
    node.say(ada, set("a", "2", only_if(0)));
    EXPECT_EQ(code_in(node.heard(ada)), "conflict");
    node.say(ada, set("a", "2", only_if(1)));
    node.write(0);
    node.settle();
    EXPECT_EQ(offset_in(node.heard(ada)), 2u);
}

TEST(hub_keyed, a_change_knows_of_those_that_were_on_their_way_before_anybody_asked) {
    config c = keyed_config();
    c.default_namespace.keeps = durability::disk;
    c.store_id = 7;
    test_node node(1, c);
    const test_node::client ada = node.connect(0, "ada-session");
    node.say(ada, set("a", "1"));
    node.say(ada, set("a", "2", only_if(0)));
    EXPECT_EQ(code_in(node.heard(ada)), "conflict");
    node.say(ada, set("a", "2", only_if(1)));
    node.write(0);
    node.settle();
    EXPECT_EQ(members_of(node.heard(ada), "offset"), (lines{"1", "2"}));
}

// Otherwise the channel would be full for ever.
TEST(hub_keyed, a_snapshot_that_the_disk_did_not_take_is_made_again) {
    config c = keyed_config(4'000);
    c.default_namespace.keeps = durability::disk;
    c.store_id = 7;
    test_node node(1, c);
    const test_node::client ada = node.connect(0, "ada-session");
    const auto snapshots_in = [](const std::vector<store_op>& ops) {
        return std::count_if(ops.begin(), ops.end(), [](const store_op& op) {
            const auto* const kept = std::get_if<keep_publication>(&op.what);
            return kept != nullptr && kept->what->is_snapshot;
        });
    };
    for (int i = 0; i < 20 && snapshots_in(node.unwritten(0)) == 0; ++i) {
        if (!node.unwritten(0).empty()) node.write(0);
        node.settle();
        if (snapshots_in(node.unwritten(0)) == 0) node.say(ada, set("a", std::to_string(i)));
    }
    ASSERT_EQ(snapshots_in(node.unwritten(0)), 1);
    const std::uint32_t term = node.unwritten(0).back().term;
    node.unwritten(0).clear();
    node.at(0).store_failed(term, error_code::storage_failed, "the disk is gone", node.now());
    node.carry_out(0);
    node.say(ada, set("a", "\"after\""));
    node.write(0);
    node.settle();
    EXPECT_EQ(snapshots_in(node.unwritten(0)), 1);
}

}  // namespace
}  // namespace pulsewire::hub
