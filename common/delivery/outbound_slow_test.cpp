// How a queue treats publications of a connection that is too slow for them (docs/protocol.md 5.4).

#include "common/base/random.hpp"
#include "common/delivery/outbound_fixture_test.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/websocket_reader.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <vector>

namespace pulsewire::delivery {
namespace {

using texts = std::vector<std::string>;

constexpr auto stays = slow_consumer::disconnect;
constexpr auto oldest = slow_consumer::drop_oldest;
constexpr auto latest = slow_consumer::latest_per_key;

hub::message_ptr publication(
    slow_consumer policy, std::string channel, std::uint64_t offset, std::string key = {},
    std::size_t size = 1
) {
    hub::publish p;
    p.channel = std::move(channel);
    p.type = "t";
    p.conflate = std::move(key);
    p.payload = std::string(size, '1');
    return hub::make_message(p, offset, 1, policy);
}

std::string member_of(const std::string& line, const std::string& key) {
    const std::size_t at = line.find("\"" + key + "\":");
    if (at == std::string::npos) return {};
    std::size_t begin = at + key.size() + 3;
    if (line[begin] == '"') return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
    return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

// "a 5", "gap a 4 dropped", or the line itself.
std::string short_text(const std::string& line) {
    if (line.starts_with("{\"op\":\"gap\""))
        return "gap " + member_of(line, "channel") + " " + member_of(line, "offset") + " " +
               member_of(line, "reason");
    if (line.starts_with("{\"type\":"))
        return member_of(line, "channel") + " " +
               (member_of(line, "offset").empty() ? "transient" : member_of(line, "offset"));
    return line;
}

class outbound_slow_test : public outbound_test {
protected:
    outbound_slow_test() { queue_.set_framing(framing::websocket); }

    void push(hub::message_ptr m, counts how = counts::as_live) {
        const hub::message* what = m.get();
        queue_.push_line(shared_bytes(m, &what->line), how, what);
    }
    void say(const std::string& line) { queue_.push_line(bytes_of(line + "\n")); }
    // Something large is on its way, and the peer does not read.
    void block() {
        say("begun" + std::string(200'000, '.'));
        ASSERT_EQ(write().how, outcome::blocked);
    }

    // The lines in what a peer reads as WebSocket messages, in short.
    static texts lines_of(std::string bytes) {
        websocket::reader reader(websocket::role::client, 1 << 24);
        std::span<char> left(bytes);
        texts lines;
        for (auto e = reader.next(left); e.kind != websocket::event_kind::more; e = reader.next(left)) {
            EXPECT_NE(e.kind, websocket::event_kind::failure) << e.data;
            if (e.kind == websocket::event_kind::failure) break;
            if (e.kind != websocket::event_kind::text) continue;
            std::string text(e.data);
            if (text.empty() || text.back() != '\n') text += '\n';
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t end = text.find('\n', at);
                const std::string line = text.substr(at, end - at);
                if (!line.starts_with("begun")) lines.push_back(short_text(line));
                at = end + 1;
            }
        }
        return lines;
    }
    // Everything that the peer gets in the end.
    texts rest() { return lines_of(read() + pass_all()); }

    std::uint64_t drops(slow_consumer policy) { return storage_.drops()[static_cast<std::size_t>(policy)]; }
};

TEST_F(outbound_slow_test, the_oldest_are_dropped_and_a_marker_stands_before_the_next) {
    bounds_.queue_bytes_max = 201'000;
    block();
    for (std::uint64_t i = 1; i <= 10; ++i) {
        push(publication(oldest, "a", i, {}, 300));
        EXPECT_FALSE(queue_.overflows()) << i;
    }
    EXPECT_EQ(drops(oldest), 8u);
    EXPECT_EQ(rest(), (texts{"gap a 8 dropped", "a 9", "a 10"}));
}

// Nothing is dropped as long as it fits, nor from a queue that nobody asked about.
TEST_F(outbound_slow_test, what_fits_stays) {
    block();
    for (std::uint64_t i = 1; i <= 100; ++i) push(publication(oldest, "a", i));
    EXPECT_FALSE(queue_.overflows());
    const texts got = rest();
    ASSERT_EQ(got.size(), 100u);
    EXPECT_EQ(got.front(), "a 1");
    EXPECT_EQ(drops(oldest), 0u);
}

TEST_F(outbound_slow_test, only_publications_of_that_policy_are_dropped) {
    bounds_.queue_bytes_max = 201'000;
    block();
    say("answer");
    push(publication(stays, "kept", 7, {}, 200));
    for (std::uint64_t i = 1; i <= 10; ++i) {
        push(publication(oldest, "a", i, {}, 100));
        if (i == 5) push(hub::make_join("a", "bob-session", {"{}"}));
        if (i == 6) say("error");
        EXPECT_FALSE(queue_.overflows());
    }
    texts got = rest();
    EXPECT_EQ(got[0], "answer");
    EXPECT_EQ(got[1], "kept 7");
    EXPECT_NE(got[2].find("\"op\":\"join\""), std::string::npos);
    EXPECT_EQ(got[3], "error");
    got.erase(got.begin(), got.begin() + 4);
    EXPECT_EQ(got, (texts{"gap a 6 dropped", "a 7", "a 8", "a 9", "a 10"}));
}

TEST_F(outbound_slow_test, a_queue_full_of_what_must_stay_overflows) {
    bounds_.queue_bytes_max = 201'000;
    block();
    for (std::uint64_t i = 1; i <= 20; ++i) push(publication(oldest, "a", i, {}, 300));
    EXPECT_FALSE(queue_.overflows());
    for (std::uint64_t i = 1; i <= 20; ++i) push(publication(stays, "b", i, {}, 300));
    EXPECT_TRUE(queue_.overflows());
    EXPECT_EQ(drops(stays), 0u);
}

TEST_F(outbound_slow_test, each_channel_has_its_own_marker) {
    bounds_.queue_bytes_max = 200'800;
    block();
    for (std::uint64_t i = 1; i <= 4; ++i) {
        push(publication(oldest, "a", i, {}, 200));
        push(publication(oldest, "b", 10 + i, {}, 200));
        EXPECT_FALSE(queue_.overflows());
    }
    EXPECT_EQ(rest(), (texts{"gap b 12 dropped", "b 13", "gap a 3 dropped", "a 4", "b 14"}));
}

// A channel may fall silent after its last publication was dropped: the gap is told all the same.
TEST_F(outbound_slow_test, a_marker_without_a_next_publication_comes_when_the_queue_is_empty) {
    bounds_.queue_bytes_max = 200'500;
    block();
    push(publication(oldest, "silent", 3, {}, 300));
    push(publication(stays, "b", 1, {}, 300));
    EXPECT_FALSE(queue_.overflows());
    EXPECT_EQ(rest(), (texts{"b 1", "gap silent 3 dropped"}));
    push(publication(oldest, "silent", 4));
    EXPECT_EQ(rest(), (texts{"silent 4"}));
}

// Protocol 5.4: never a line of which a part is written.
TEST_F(outbound_slow_test, what_has_begun_is_finished) {
    bounds_.queue_bytes_max = 100'000;
    push(publication(oldest, "a", 1, {}, 150'000));
    ASSERT_EQ(write().how, outcome::blocked);
    EXPECT_TRUE(queue_.overflows()) << "it may not be dropped any more";
    const std::string begun = read();
    EXPECT_EQ(lines_of(begun + pass_all()), (texts{"a 1"}));
}

// Lines after a blocked frame have none yet, however often the queue was written to.
TEST_F(outbound_slow_test, a_trickle_of_reading_freezes_only_what_is_next) {
    bounds_.queue_bytes_max = 400'000;
    block();
    std::string got;
    for (std::uint64_t i = 1; i <= 3'000; ++i) {
        push(publication(oldest, "a", i, {}, 1'000));
        ASSERT_FALSE(queue_.overflows());
        if (i % 100 != 0) continue;
        got += read(5'000);
        write();
    }
    const texts all = lines_of(got + read() + pass_all());
    EXPECT_EQ(all.back(), "a 3000");
    EXPECT_GT(drops(oldest), 2'000u);
    EXPECT_EQ(
        all.size(), 3'000 - drops(oldest) +
                        static_cast<std::size_t>(std::count_if(
                            all.begin(), all.end(), [](const auto& line) { return line.starts_with("gap"); }
                        ))
    );
}

TEST_F(outbound_slow_test, replays_and_transient_ones) {
    bounds_.queue_bytes_max = 200'500;
    block();
    push(publication(oldest, "a", 1, {}, 5'000), counts::as_replay);
    push(publication(oldest, "a", 0, {}, 300));
    push(publication(oldest, "a", 0, {}, 300));
    EXPECT_FALSE(queue_.overflows());
    EXPECT_EQ(drops(oldest), 1u);
    EXPECT_EQ(rest(), (texts{"a 1", "a transient"})) << "a transient one has no place, so it leaves no gap";
}

// The queue's memory follows what is left in it, not what went through it.
TEST_F(outbound_slow_test, holds_no_more_than_what_is_left) {
    bounds_.queue_bytes_max = 220'000;
    block();
    for (std::uint64_t i = 1; i <= 200'000; ++i) {
        push(publication(i % 2 == 0 ? oldest : latest, i % 2 == 0 ? "a" : "b", (i + 1) / 2));
        ASSERT_FALSE(queue_.overflows());
        ASSERT_LT(queue_.pieces(), 1'000u);
    }
    const texts got = rest();
    EXPECT_EQ(got.back(), "a 100000");
    EXPECT_EQ(got[got.size() - 2], "b 100000");
}

TEST_F(outbound_slow_test, a_newer_one_replaces_the_one_of_its_key) {
    block();
    push(publication(latest, "a", 1, "x"));
    push(publication(latest, "a", 2, "y"));
    push(publication(latest, "a", 3, "z"));
    push(publication(latest, "a", 4, "y"));
    push(publication(latest, "b", 1, "x"));
    push(publication(latest, "a", 5, "x"));
    EXPECT_EQ(drops(latest), 2u);
    EXPECT_EQ(rest(), (texts{"gap a 2 replaced", "a 3", "a 4", "b 1", "a 5"}))
        << "1 and 2 are one gap; 4 and 5 follow without one";
}

// Protocol 5.6: the newest publication of each key arrives, and a transient message is none. It may be lost
// with the connection after the gap was told, and then nothing of the key would ever come.
TEST_F(outbound_slow_test, a_transient_message_takes_no_place_of_a_publication) {
    block();
    push(publication(latest, "a", 1, "x"));
    push(publication(latest, "a", 0, "x"));
    push(publication(latest, "a", 0, "x"));
    push(publication(latest, "a", 2, "y"));
    EXPECT_EQ(drops(latest), 1u) << "of the two transient ones the newer is enough";
    EXPECT_EQ(rest(), (texts{"a 1", "a transient", "a 2"}));
}

TEST_F(outbound_slow_test, every_hole_between_those_that_wait_is_told) {
    block();
    for (std::uint64_t i = 1; i <= 6; ++i) push(publication(latest, "a", i, std::to_string(i)));
    push(publication(latest, "a", 7, "2"));
    push(publication(latest, "a", 8, "5"));
    push(publication(latest, "a", 9, "2"));
    EXPECT_EQ(
        rest(), (texts{
                    "a 1", "gap a 2 replaced", "a 3", "a 4", "gap a 5 replaced", "a 6", "gap a 7 replaced",
                    "a 8", "a 9"})
    );
}

TEST_F(outbound_slow_test, without_a_key_the_type_stands_for_it) {
    block();
    for (std::uint64_t i = 1; i <= 3; ++i) push(publication(latest, "a", i));
    push(publication(latest, "a", 4, "t"));
    EXPECT_EQ(rest(), (texts{"gap a 3 replaced", "a 4"}));
}

TEST_F(outbound_slow_test, nothing_is_replaced_while_the_peer_keeps_up) {
    for (std::uint64_t i = 1; i <= 3; ++i) push(publication(latest, "a", i));
    EXPECT_EQ(write().how, outcome::drained);
    push(publication(latest, "a", 4));
    EXPECT_EQ(rest(), (texts{"a 1", "a 2", "a 3", "a 4"}));
}

// Publications that waited before the queue was blocked are replaced like later ones.
TEST_F(outbound_slow_test, a_burst_is_replaced_when_it_does_not_fit) {
    bounds_.queue_bytes_max = 250'000;
    say("begun" + std::string(200'000, '.'));
    for (std::uint64_t i = 1; i <= 200; ++i) push(publication(latest, "a", i, {}, 1'000));
    ASSERT_EQ(write().how, outcome::blocked);
    EXPECT_FALSE(queue_.overflows());
    EXPECT_EQ(rest(), (texts{"gap a 199 replaced", "a 200"}));
}

TEST_F(outbound_slow_test, the_newest_of_each_key_is_never_dropped) {
    bounds_.queue_bytes_max = 201'000;
    block();
    for (std::uint64_t i = 1; i <= 10; ++i) push(publication(latest, "a", i, std::to_string(i), 300));
    EXPECT_TRUE(queue_.overflows());
}

TEST_F(outbound_slow_test, dropping_all_lines_forgets_the_gaps_as_well) {
    bounds_.queue_bytes_max = 200'500;
    block();
    for (std::uint64_t i = 1; i <= 4; ++i) push(publication(oldest, "a", i, {}, 300));
    push(publication(latest, "b", 1));
    push(publication(latest, "b", 2));
    EXPECT_FALSE(queue_.overflows());
    EXPECT_EQ(queue_.drop_lines(), 2u);
    EXPECT_EQ(rest(), texts{});
}

TEST_F(outbound_slow_test, over_sse_a_marker_is_a_data_line) {
    queue_.set_framing(framing::event_stream);
    bounds_.queue_bytes_max = 201'000;
    say("begun" + std::string(200'000, '.'));
    ASSERT_EQ(write().how, outcome::blocked);
    for (std::uint64_t i = 1; i <= 4; ++i) push(publication(oldest, "a", i, {}, 700));
    EXPECT_FALSE(queue_.overflows());
    std::string all = read() + pass_all();
    all.erase(0, all.find("\n\n") + 2);
    const auto fourth = publication(oldest, "a", 4, {}, 700);
    EXPECT_EQ(
        all, "data: {\"op\":\"gap\",\"channel\":\"a\",\"offset\":3,\"reason\":\"dropped\"}\ndata: " +
                 fourth->line + "\n"
    );
}

// Protocol 10.1: a client of raw text has no place for a marker.
TEST_F(outbound_slow_test, raw_text_has_no_markers) {
    queue_.set_framing(framing::plain);
    bounds_.queue_bytes_max = 201'000;
    block();
    for (std::uint64_t i = 1; i <= 10; ++i) push(publication(oldest, "a", i, {}, 300));
    EXPECT_FALSE(queue_.overflows());
    std::string bytes = read() + pass_all();
    EXPECT_EQ(lines_of(std::move(bytes)), (texts{"a 9", "a 10"}));
}

// Says what it was asked to make, and when.
struct listing final : event_text_source {
    void write(const hub::message_ptr& m, std::string& out) override {
        if (m->kind == hub::message_kind::publication)
            out += std::string(m->channel()) + std::to_string(m->offset) + ";";
    }
    bool continues(std::span<const hub::message_ptr>) override { return false; }
    bool shares_texts() const override { return false; }
    std::unique_ptr<shared_event_texts> shared_texts() const override { return nullptr; }
    void write_gap(std::string_view channel, std::uint64_t offset, slow_consumer why, std::string& out)
        override {
        out +=
            "gap " + std::string(channel) + std::to_string(offset) + std::string(hub::gap_reason(why)) + ";";
    }
};

// Protocol 8.4.3: a cursor says what went before, so the text is made in the order of writing, and never for
// what was dropped.
TEST_F(outbound_slow_test, texts_are_made_when_their_turn_comes) {
    listing maker;
    queue_.push_raw(std::string(300'000, '.'));
    ASSERT_EQ(write().how, outcome::blocked);
    queue_.set_framing(framing::cursor_events, &maker);
    bounds_.queue_bytes_max = 301'000;
    for (std::uint64_t i = 1; i <= 4; ++i) {
        push(publication(oldest, "a", i, {}, 200));
        push(publication(latest, "b", i, {}, 200));
        push(hub::make_pong(i));
        EXPECT_FALSE(queue_.overflows());
    }
    std::string all = read() + pass_all();
    all.erase(0, all.find_first_not_of('.'));
    EXPECT_EQ(all, "gap a2dropped;a3;a4;gap b3replaced;b4;");
}

// The acknowledgement of a publish has the channel and the offset of the publication, and is none.
TEST_F(outbound_slow_test, an_answer_with_an_offset_tells_no_gap_and_hides_none) {
    block();
    push(publication(latest, "a", 1, "x"));
    push(publication(latest, "a", 2, "y"));
    push(hub::make_published(7, "a", "epoch", 2));
    push(publication(latest, "a", 3, "z"));
    push(publication(latest, "a", 4, "y"));
    const texts all = lines_of(read() + pass_all());
    const std::string ack(hub::make_published(7, "a", "epoch", 2)->line);
    EXPECT_EQ(all, (texts{"a 1", ack.substr(0, ack.size() - 1), "gap a 2 replaced", "a 3", "a 4"}));
}

// A new subscription is told where it begins, so publications dropped before it leave no gap in it.
TEST_F(outbound_slow_test, a_subscription_that_begins_again_knows_its_place) {
    block();
    push(publication(latest, "a", 1, "x"));
    push(publication(latest, "a", 2, "x"));
    hub::subscribed_fields f;
    f.channel = "a";
    f.epoch = "epoch";
    f.offset = 2;
    push(hub::make_subscribed(f));
    push(publication(latest, "a", 3, "x"));
    const texts all = lines_of(read() + pass_all());
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1], "a 3");
}

// A client that asks again what was dropped does so while its queue waits, perhaps more than once.
TEST_F(outbound_slow_test, each_subscription_in_the_queue_has_gaps_of_its_own) {
    const auto subscribe = [this](std::uint64_t offset, std::string_view epoch) {
        hub::subscribed_fields f;
        f.channel = "a";
        f.epoch = epoch;
        f.offset = offset;
        push(hub::make_subscribed(f));
    };
    block();
    push(publication(latest, "a", 11, "x"));
    push(publication(latest, "a", 12, "y"));
    subscribe(12, "epoch");
    push(publication(latest, "a", 13, "x"));
    push(publication(latest, "a", 14, "z"));
    push(publication(latest, "a", 15, "y"));
    subscribe(0, "next epoch");
    push(publication(latest, "a", 1, "x"));
    push(publication(latest, "a", 2, "w"));
    push(publication(latest, "a", 3, "x"));
    push(publication(latest, "a", 4, "z"));
    texts all = rest();
    ASSERT_EQ(all.size(), 8u);
    EXPECT_NE(all[0].find("\"offset\":12"), std::string::npos);
    EXPECT_NE(all[3].find("next epoch"), std::string::npos);
    all.erase(all.begin() + 3);
    all.erase(all.begin());
    EXPECT_EQ(all, (texts{"gap a 14 replaced", "a 15", "gap a 1 replaced", "a 2", "a 3", "a 4"}));
}

// Many courses of pushing, writing and reading: whatever happens, the peer sees rising offsets, every hole is
// told before the next one, and nothing is missing that may not be.
class outbound_courses_test : public outbound_slow_test, public ::testing::WithParamInterface<int> {};

struct stream {
    explicit stream(slow_consumer p) : policy(p) {}
    slow_consumer policy;
    std::uint64_t pushed = 0, seen = 0;
    std::map<std::string, std::uint64_t> newest;  // by key
    std::set<std::uint64_t> got;
};

TEST_P(outbound_courses_test, nothing_is_missing_without_a_word) {
    std::uint64_t random = static_cast<std::uint64_t>(GetParam());
    const auto draw = [&](std::uint32_t below) { return next_random(random, below); };
    bounds_.queue_bytes_max = 40'000;
    bounds_.batch_bytes_max = static_cast<std::uint32_t>(1 + draw(10'000));
    bounds_.batch_messages_max = static_cast<std::uint32_t>(1 + draw(40));
    std::map<std::string, stream> streams{
        {"kept", stream(stays)},
        {"old1", stream(oldest)},
        {"old2", stream(oldest)},
        {"key1", stream(latest)},
        {"key2", stream(latest)}};
    std::string bytes;
    std::uint64_t kept_waiting = 0, answers = 0;
    for (int step = 0; step < 3'000; ++step) {
        const auto what = draw(40);
        if (what < 34) {
            auto at = streams.begin();
            std::advance(at, static_cast<std::ptrdiff_t>(draw(5)));
            stream& s = at->second;
            if (s.policy == stays && ++kept_waiting > 8) continue;
            const std::string key = std::to_string(draw(4));
            push(publication(s.policy, at->first, ++s.pushed, key, 1 + draw(1'500)));
            s.newest[key] = s.pushed;
            ASSERT_FALSE(queue_.overflows());
        } else if (what == 34) {
            queue_.push_control(websocket::ping_frame({}).view());
        } else if (what == 35 && kept_waiting < 8) {
            say("answer " + std::to_string(++answers));
            ++kept_waiting;
        } else if (what < 38) {
            write();
            if (queue_.empty()) kept_waiting = 0;
        } else {
            bytes += read(draw(20'000) + 1);
        }
    }
    bytes += read() + pass_all();
    std::uint64_t answers_seen = 0;
    for (const std::string& line : lines_of(bytes)) {
        if (line.starts_with("answer ")) {
            EXPECT_EQ(line, "answer " + std::to_string(++answers_seen));
            continue;
        }
        const bool gap = line.starts_with("gap ");
        const std::size_t at = gap ? 4 : 0;
        const std::size_t space = line.find(' ', at);
        stream& s = streams.at(line.substr(at, space - at));
        const std::uint64_t offset = std::stoull(line.substr(space + 1));
        if (gap) {
            EXPECT_GT(offset, s.seen) << line;
            EXPECT_TRUE(line.ends_with(s.policy == oldest ? " dropped" : " replaced")) << line;
        } else {
            EXPECT_EQ(offset, s.seen + 1) << line;
            s.got.insert(offset);
        }
        s.seen = offset;
    }
    EXPECT_EQ(answers_seen, answers);
    std::uint64_t missing[3]{};
    for (auto& [name, s] : streams) {
        EXPECT_EQ(s.seen, s.pushed) << name;
        missing[static_cast<std::size_t>(s.policy)] += s.pushed - s.got.size();
        if (s.policy != latest) continue;
        for (const auto& [key, offset] : s.newest)
            EXPECT_EQ(s.got.count(offset), 1u) << "the newest of " << name << " " << key;
    }
    EXPECT_EQ(missing[0], 0u);
    EXPECT_EQ(missing[1], drops(oldest));
    EXPECT_EQ(missing[2], drops(latest));
}

INSTANTIATE_TEST_SUITE_P(Seeds, outbound_courses_test, ::testing::Range(1, 101));

}  // namespace
}  // namespace pulsewire::delivery
