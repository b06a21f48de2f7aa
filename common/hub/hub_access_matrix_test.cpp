// Everybody, by every door, with every command, in every kind of namespace, against a model that shares no
// code with the guard (protocol 4.23).

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

#include <set>

namespace pulsewire::hub {
namespace {

using client = test_node::client;

// By their names alone, so that a slip in a table of the core shows.
using permissions = std::set<std::string>;

const permissions everything = {"subscribe", "history", "publish", "presence", "show", "request", "respond"};

struct visitor {
    std::string name;
    bool known = false;  // has a token
    std::string user = {};
    permissions granted = {};  // by the token, on every channel
};

std::vector<visitor> visitors() {
    std::vector<visitor> all = {
        {"nobody", false, "", {}},
        {"a user without grants", true, "ann", {}},
        {"the owner", true, "own", {}},
        {"another owner", true, "owner", {}},
        {"an owner by half a name", true, "ow", {}},
        {"somebody who may everything", true, "root", everything},
    };
    for (const std::string& one : everything) all.push_back({"only " + one, true, "ann", {one}});
    for (const std::string& one : everything) {
        permissions but = everything;
        but.erase(one);
        all.push_back({"all but " + one, true, "ann", but});
    }
    return all;
}

struct deed {
    std::string name;
    permissions needs;
    std::string line;  // with CHANNEL and EPOCH
    std::set<face> doors;
};

const std::set<face> frames = {face::protocol, face::protocol_stream};
std::set<face> and_by(std::set<face> doors, std::initializer_list<face> others) {
    doors.insert(others);
    return doors;
}

std::vector<deed> deeds() {
    const std::string subscribe = R"({"op":"subscribe","id":5,"channel":"CHANNEL")";
    const auto streams = and_by(frames, {face::event_stream, face::plain_websocket});
    const auto events = and_by(frames, {face::event_stream});
    const auto publishers = and_by(frames, {face::plain_websocket, face::api});
    const auto readers = and_by(frames, {face::api});
    return {
        {"subscribe", {"subscribe"}, subscribe + "}", streams},
        {"latest", {"subscribe", "history"}, subscribe + R"(,"latest":3})", events},
        {"a position", {"subscribe"}, subscribe + R"(,"offset":0,"epoch":"EPOCH"})", events},
        {"watch", {"subscribe", "presence"}, subscribe + R"(,"presence":true})", frames},
        {"show", {"subscribe", "show"}, subscribe + R"(,"payload":{}})", frames},
        {"publish",
         {"publish"},
         R"({"op":"publish","id":5,"channel":"CHANNEL","type":"t","payload":1})",
         publishers},
        {"transient",
         {"publish"},
         R"({"op":"publish","id":5,"channel":"CHANNEL","type":"t","transient":true,"payload":1})",
         readers},
        {"a key again",
         {"publish"},
         R"({"op":"publish","id":5,"channel":"CHANNEL","type":"t","key":"k","payload":1})",
         readers},
        {"history", {"history"}, R"({"op":"history","id":5,"channel":"CHANNEL"})", readers},
        {"back",
         {"history"},
         R"({"op":"history","id":5,"channel":"CHANNEL","backwards":true,"limit":1})",
         readers},
        {"since", {"history"}, R"({"op":"history","id":5,"channel":"CHANNEL","time":1})", readers},
        {"who", {"presence"}, R"({"op":"presence","id":5,"channel":"CHANNEL"})", readers},
        {"ask",
         {"request"},
         R"({"op":"request","id":5,"channel":"CHANNEL","to":"12345678","type":"t","payload":1})",
         frames},
    };
}

// The model: what a visitor has on the channel "<kind>:own…".
permissions has(const visitor& v, const std::string& kind) {
    const bool given = kind == "open" || (kind == "users" && v.known) || (kind == "owner" && v.user == "own");
    return given ? everything : v.granted;
}

bool may(const visitor& v, const std::string& kind, const deed& d) {
    for (const std::string& one : d.needs)
        if (!has(v, kind).contains(one)) return false;
    return true;
}

config settings() {
    config c;
    c.verifies_tokens = true;
    c.default_namespace.allow = access_rules::none();
    c.default_namespace.client_requests = true;
    for (const char* kind : {"open", "users", "owner", "closed"}) c.namespaces[kind] = c.default_namespace;
    c.namespaces["open"].allow.anonymous = operations::all();
    c.namespaces["users"].allow.users = operations::all();
    c.namespaces["owner"].allow.owner = operations::all();
    return c;
}

access::principal_ptr principal_of(const visitor& v, face door) {
    // A request of somebody unknown to the API (whoever has its key is nobody else's equal).
    if (!v.known && door != face::api) return nullptr;
    access::principal p;
    p.user = v.user;
    p.expires_ms = 4'000'000'000'000;
    operations granted;
    for (const std::string& one : v.granted) granted |= *operation_named(one);
    EXPECT_EQ(p.allowed.add("**", granted), "");
    return std::make_shared<const access::principal>(p);
}

class matrix {
public:
    explicit matrix(shard_index shards) : node_(shards, settings()) {
        for (const char* kind : {"open", "users", "owner", "closed"}) {
            const std::string channel = std::string(kind) + ":own";
            publish p;
            p.channel = channel;
            p.type = "t";
            p.payload = "1";
            node_.post(node_.owner_index(channel), channel_change(p));
        }
        node_.settle();
    }

    // The only answer, or the first of several; "" where there is none.
    std::string answer(const visitor& v, face door, const deed& d, const std::string& channel) {
        const client c{0, ++connection_};
        const bool by_lines = frames.contains(door);
        const auto who = principal_of(v, door);
        node_.at(0).open(c.connection, door, {}, by_lines ? "" : "session-of-one", node_.now(), 0, who);
        if (by_lines) node_.say(c, R"({"op":"connect","version":1,"session":"session-of-one"})");
        node_.heard(c);
        std::string line = d.line;
        line.replace(line.find("CHANNEL"), 7, channel);
        if (const auto at = line.find("EPOCH"); at != line.npos) line.replace(at, 5, "anything");
        if (by_lines) {
            node_.say(c, line);
        } else {
            std::string scratch;
            const auto read = read_command(line, scratch);
            EXPECT_TRUE(read) << line;
            node_.at(0).execute(c.connection, *read, node_.now());
            node_.carry_out(0);
        }
        const auto heard = node_.heard(c);
        node_.close(c);
        node_.settle();
        return heard.empty() ? "" : heard[0];
    }
    std::size_t channels() const { return node_.channel_count(); }
    std::size_t subscriptions() const { return node_.subscription_count(); }

private:
    test_node node_;
    std::uint64_t connection_ = 1'000;
};

TEST(access_matrix, everybody_gets_what_they_may_and_nothing_else_by_every_door) {
    std::size_t cells = 0, denied = 0;
    for (const shard_index shards : {1, 3}) {
        matrix m(shards);
        for (const char* kind : {"open", "users", "owner", "closed"}) {
            for (const visitor& v : visitors()) {
                for (const deed& d : deeds()) {
                    for (const face door : d.doors) {
                        const std::string cell = std::string(kind) + ", " + v.name + ", " + d.name +
                                                 ", door " + std::to_string(static_cast<int>(door));
                        const std::size_t channels = m.channels();
                        const std::string there = m.answer(v, door, d, std::string(kind) + ":own");
                        ++cells;
                        const bool refused = there.find(R"("code":"forbidden")") != there.npos;
                        ASSERT_EQ(refused, !may(v, kind, d)) << cell << ": " << there;
                        if (!refused) continue;
                        ++denied;
                        ASSERT_EQ(m.answer(v, door, d, std::string(kind) + ":own:never"), there) << cell;
                        ASSERT_EQ(m.channels(), channels) << cell;
                        ASSERT_EQ(m.subscriptions(), 0u) << cell;
                    }
                }
            }
        }
    }
    RecordProperty("cells", static_cast<int>(cells));
    EXPECT_GT(cells, 4'000u);
    EXPECT_GT(denied, 1'000u);
}

}  // namespace
}  // namespace pulsewire::hub
