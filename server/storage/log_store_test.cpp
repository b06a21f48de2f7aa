#include "server/storage/log_store.hpp"

#include "common/exchange/message_text.hpp"
#include "common/exchange/store_image.hpp"
#include "server/log.hpp"
#include "server/storage/row.hpp"
#include "server/testing/fault_file_system.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace pulsewire::shell {
namespace {

using hub::store_op;
using testing::fault_file_system;
using testing::temporary_folder;
using ops = std::vector<store_op>;

hub::message_ptr publication(const std::string& channel, std::uint64_t offset, std::string payload = "1") {
    hub::publish p;
    p.channel = channel;
    p.type = "t";
    p.payload = std::move(payload);
    if (offset % 2 == 0) p.except = "session-1";
    return hub::make_message(p, offset, 1'700'000'000'000 + static_cast<std::int64_t>(offset));
}

store_op op(auto what) {
    return {1, 0, std::move(what)};
}

store_op keep(const std::string& channel, std::uint64_t offset, const std::string& key = {}) {
    return op(hub::keep_publication{publication(channel, offset), "epoch-1", key, offset * 100});
}

// All of it as lines, to be compared.
std::vector<std::string> lines_of(
    const std::vector<hub::restored_channel>& channels, const std::vector<hub::restored_key>& keys
) {
    std::vector<std::string> lines;
    for (const hub::restored_channel& c : channels) {
        lines.push_back(c.name + " " + c.epoch + " " + std::to_string(c.head));
        for (const auto& p : c.publications) lines.push_back(p->line);
    }
    for (const hub::restored_key& k : keys)
        lines.push_back(
            k.channel + " " + k.epoch + " " + k.key + " " + std::to_string(k.offset) + " " +
            std::to_string(k.content)
        );
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::vector<std::string> lines_of(const log_store::contents& c) {
    return lines_of(c.channels, c.keys);
}

std::vector<std::string> lines_of(const hub::store_image& image) {
    return lines_of(image.channels(), image.keys());
}

// Operations as a hub gives them, drawn at random.
class drawn_operations {
public:
    explicit drawn_operations(std::uint64_t seed) : random_(seed) {}

    ops next() {
        ops batch;
        for (std::uint64_t i = 0; i <= below(4); ++i) one(batch);
        return batch;
    }

private:
    struct drawn_channel {
        std::uint64_t head = 0, oldest = 1;
        bool noted = false;
    };

    std::uint64_t below(std::uint32_t n) { return next_random(random_, n); }

    void one(ops& batch) {
        const std::string name = "chat:" + std::to_string(below(4));
        drawn_channel& c = channels_[name];
        const std::string epoch = hub::durable_epoch(1, generation_of_[name]);
        switch (below(12)) {
            case 0:
                c.oldest += below(static_cast<std::uint32_t>(c.head + 2 - c.oldest));
                if (c.noted) batch.push_back(op(hub::trim_channel{name, c.oldest}));
                return;
            case 1:
                if (c.noted) batch.push_back(op(hub::truncate_channel{name, c.head}));
                return;
            case 2:
                if (!c.noted) return;
                batch.push_back(op(hub::drop_channel{name, ++generation_}));
                generation_of_[name] = generation_;
                c = {};
                return;
            case 3:
                batch.push_back(op(hub::forget_keys{1'700'000'000'000 + static_cast<std::int64_t>(below(10))})
                );
                return;
            default:
                if (!std::exchange(c.noted, true))
                    batch.push_back(op(hub::keep_channel{name, epoch, c.head}));
                ++c.head;
                batch.push_back(op(hub::keep_publication{
                    publication(name, c.head, std::string(below(600), '1')), epoch,
                    below(2) == 0 ? "" : "key-" + std::to_string(++keys_)}));
        }
    }

    std::uint64_t random_;
    std::uint64_t generation_ = 0, keys_ = 0;
    std::map<std::string, drawn_channel> channels_;
    std::map<std::string, std::uint64_t> generation_of_;
};

TEST(log_store, keeps_through_a_restart_what_the_reference_keeps) {
    const temporary_folder folder;
    hub::store_image image;
    drawn_operations drawn(1);
    for (int life = 0; life < 10; ++life) {
        log_store store(folder.path());
        EXPECT_EQ(lines_of(store.load()), lines_of(image)) << "life " << life;
        EXPECT_EQ(store.generation(), image.generation());
        for (int i = 0; i < 40; ++i) {
            const ops batch = drawn.next();
            ASSERT_FALSE(store.write(batch));
            for (const store_op& o : batch) image.apply(o);
        }
    }
}

// With a file of its own it ends the process when the disk is full.
TEST(log_store, rocksdb_writes_no_log_into_the_folder) {
    const temporary_folder folder;
    for (int life = 0; life < 2; ++life) {
        const log_store store(folder.path());
        EXPECT_FALSE(std::filesystem::exists(folder.path() + "/LOG"));
    }
}

TEST(log_store, has_one_id_for_ever) {
    const temporary_folder one, other;
    const auto id_of = [](const temporary_folder& f) { return log_store(f.path()).id(); };
    const std::uint64_t first = id_of(one);
    EXPECT_EQ(id_of(one), first);
    EXPECT_NE(id_of(other), first);
}

TEST(log_store, says_what_to_do_when_the_folder_cannot_be_used) {
    const temporary_folder folder;
    const auto fault_of = [](const std::string& path) -> std::string {
        try {
            log_store store(path);
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return {};
    };
    log_store first(folder.path());
    EXPECT_THAT(fault_of(folder.path()), ::testing::HasSubstr("Another server uses this folder"));
    const std::string file = folder.path() + "/LOCK/inside";
    EXPECT_THAT(fault_of(file), ::testing::HasSubstr("the data folder " + file + " cannot be used"));
}

// --- power ---

using fault = fault_file_system::fault;
using tail = fault_file_system::tail;

struct power_cut {
    std::uint64_t at;
    tail how;
};

// Runs the script of batches until the power fails at an operation on the disk. Returns whether the folder
// then holds exactly the batches that were safe, or these and the batch that was under way.
bool survives(const power_cut& cut, bool& finished) {
    log::set_level("off");
    const temporary_folder folder;
    auto disk = std::make_shared<fault_file_system>();
    const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
    hub::store_image safe, under_way;
    drawn_operations drawn(cut.at);
    disk->fail(fault::power_cut, cut.at);
    bool opened = false;
    try {
        std::filesystem::create_directories(folder.path());
        log_store store(folder.path(), env.get());
        opened = true;
        store.load();
        finished = true;
        for (int i = 0; i < 12; ++i) {
            const ops batch = drawn.next();
            for (const store_op& o : batch) under_way.apply(o);
            if (store.write(batch)) {
                finished = false;
                break;
            }
            for (const store_op& o : batch) safe.apply(o);
        }
        if (disk->operations() >= cut.at) finished = false;
    } catch (const std::runtime_error&) {
        finished = false;
    }
    std::uint64_t random = cut.at;
    disk->lose_unsynced(cut.how, random);
    log_store again(folder.path());
    log_store::contents found = again.load();
    if (!found.damaged.empty()) return false;
    const auto same = [&](const hub::store_image& image) { return lines_of(found) == lines_of(image); };
    if (!opened || same(safe) || same(under_way)) return true;
    // The end of the log was damaged, and it is told by new epochs; then
    // publications may not be missing either.
    for (hub::restored_channel& c : found.channels) c.epoch = "renewed";
    std::vector<hub::restored_channel> wanted = safe.channels();
    for (hub::restored_channel& c : wanted) c.epoch = "renewed";
    return lines_of(found.channels, {}) == lines_of(wanted, {});
}

TEST(log_store, a_power_cut_at_any_moment_loses_nothing_that_was_safe) {
    for (const tail how : {tail::lost, tail::cut_anywhere, tail::pages_missing}) {
        bool finished = false;
        std::uint64_t at = 1;
        for (; !finished && at < 400; ++at)
            EXPECT_TRUE(survives({at, how}, finished)) << "operation " << at << ", " << static_cast<int>(how);
        EXPECT_GT(at, 30u) << "so many operations there are to fail";
        EXPECT_LT(at, 400u);
    }
}

// --- errors ---

// Each batch is one publication in a channel of its own: some fail, and what was acknowledged must be there.
struct script_result {
    std::set<std::string> acknowledged;
    std::vector<log_store::failure> failures;
    bool failed_after_success = false;
};

script_result write_channels(log_store& store, int from, int to) {
    script_result r;
    for (int i = from; i < to; ++i) {
        const std::string name = "c" + std::to_string(i);
        const ops batch{op(hub::keep_channel{name, "epoch-1", 0}), keep(name, 1, "key-" + name)};
        if (auto failed = store.write(batch)) {
            r.failures.push_back(*failed);
        } else {
            r.acknowledged.insert(name);
            r.failed_after_success = !r.failures.empty();
        }
    }
    return r;
}

std::set<std::string> channels_in(const std::string& folder) {
    log_store store(folder);
    std::set<std::string> names;
    for (const auto& c : store.load().channels)
        if (c.publications.size() == 1) names.insert(c.name);
    return names;
}

TEST(log_store, a_failed_operation_of_the_disk_ends_acknowledging_for_good) {
    bool failed_somewhere = true;
    std::uint64_t at = 1;
    for (; failed_somewhere && at < 400; ++at) {
        const temporary_folder folder;
        auto disk = std::make_shared<fault_file_system>();
        const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
        { log_store made(folder.path()); }
        script_result r;
        disk->fail(fault::io_error, at);
        try {
            log_store store(folder.path(), env.get());
            r = write_channels(store, 0, 8);
        } catch (const std::runtime_error&) {
        }
        failed_somewhere = disk->operations() >= at;
        EXPECT_FALSE(r.failed_after_success) << "operation " << at;
        for (const auto& f : r.failures) EXPECT_EQ(f.code, error_code::storage_failed);
        const std::set<std::string> kept = channels_in(folder.path());
        for (const std::string& name : r.acknowledged) EXPECT_TRUE(kept.contains(name)) << at << " " << name;
    }
    EXPECT_GT(at, 20u);
}

TEST(log_store, a_full_disk_refuses_and_works_again_when_there_is_room) {
    bool failed_somewhere = true;
    int resumed = 0;
    for (std::uint64_t at = 1; failed_somewhere && at < 400; ++at) {
        const temporary_folder folder;
        auto disk = std::make_shared<fault_file_system>();
        const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
        script_result first, second;
        bool opened = false;
        { log_store made(folder.path()); }
        try {
            disk->fail(fault::no_space, at);
            log_store store(folder.path(), env.get());
            opened = true;
            first = write_channels(store, 0, 6);
            failed_somewhere = disk->operations() >= at;
            disk->heal();
            second = write_channels(store, 6, 12);
            disk->fail(fault::none, 0);
        } catch (const std::runtime_error& e) {
            EXPECT_THAT(e.what(), ::testing::HasSubstr("disk is full")) << at;
            disk->heal();
        }
        for (const auto& f : first.failures) EXPECT_EQ(f.code, error_code::storage_full) << at << f.text;
        if (opened) {
            EXPECT_EQ(second.acknowledged.size(), 6u) << at;
        }
        if (!first.failures.empty()) ++resumed;
        const std::set<std::string> kept = channels_in(folder.path());
        for (const auto& acknowledged : {first.acknowledged, second.acknowledged})
            for (const std::string& name : acknowledged)
                EXPECT_TRUE(kept.contains(name)) << at << " " << name;
    }
    EXPECT_GT(resumed, 5);
}

// The remains of a refused write are not taken for kept, not even its keys when
// other publications have its places.
TEST(log_store, the_key_of_a_publication_that_was_refused_is_not_remembered) {
    for (std::uint64_t at = 1; at <= 8; ++at) {
        const temporary_folder folder;
        auto disk = std::make_shared<fault_file_system>();
        const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
        log_store store(folder.path(), env.get());
        ASSERT_FALSE(store.write(ops{op(hub::keep_channel{"a", "epoch-1", 0})}));
        disk->fail(fault::no_space, disk->operations() + at);
        const auto refused = store.write(ops{keep("a", 1, "void-1"), keep("a", 2, "void-2")});
        disk->heal();
        if (!refused) continue;
        ASSERT_FALSE(store.write(ops{op(hub::truncate_channel{"a", 0}), keep("a", 1, "key-1")}));
        const auto kept = store.load();
        ASSERT_EQ(kept.channels.size(), 1u) << at;
        EXPECT_EQ(kept.channels[0].head, 1u) << at;
        ASSERT_EQ(kept.keys.size(), 1u) << "a refused key came back; the disk was full from operation " << at;
        EXPECT_EQ(kept.keys[0].key, "key-1");
    }
}

// --- damage ---

TEST(log_store_row, a_changed_bit_is_never_read_as_something_else) {
    const hub::keep_publication p{publication("chat:1", 2, "{\"text\":\"hi\"}"), "epoch-1", "key-1"};
    const std::string key = row::publication_key("chat:1", 2);
    const std::string good = row::value(key, p);
    ASSERT_TRUE(row::read_publication(key, good));
    EXPECT_EQ(row::read_publication(key, good)->what->line, p.what->line);
    EXPECT_EQ(row::read_publication(key, good)->key, "key-1");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        EXPECT_FALSE(row::read_publication(key, bad)) << bit;
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(row::read_publication(key, std::string_view(good).substr(0, size)));
    EXPECT_FALSE(row::read_publication(key, good + "x"));
    EXPECT_FALSE(row::read_publication(row::publication_key("chat:1", 3), good)) << "in another's place";
    EXPECT_FALSE(row::read_channel(key, good));
}

TEST(log_store_row, keys_say_what_they_were_made_of) {
    const std::string key = row::publication_key("a:b", 258);
    const auto place = row::place_of(key);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->channel, "a:b");
    EXPECT_EQ(place->offset, 258u);
    EXPECT_LT(row::publication_key("a", 255), row::publication_key("a", 256));
    EXPECT_LT(row::publication_key("a", UINT64_MAX), row::publication_key("a-", 0))
        << "one channel's stand together";
    EXPECT_LT(row::key_key(255, "z", 1), row::key_key(256, "a", 1));
    EXPECT_FALSE(row::place_of("p"));
    EXPECT_FALSE(row::place_of(row::channel_key("a")));
}

std::vector<std::string> files_of(const std::string& folder, const std::string& suffix) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == suffix) found.push_back(entry.path().string());
    return found;
}

void flip(const std::string& file, std::uint64_t at) {
    std::fstream content(file, std::ios::in | std::ios::out | std::ios::binary);
    content.seekg(static_cast<std::streamoff>(at));
    const char changed = static_cast<char>(content.get() ^ 0x10);
    content.seekp(static_cast<std::streamoff>(at));
    content.put(changed);
}

// A flipped bit in any file: either the store says that it is damaged, or what it serves is what was written,
// or less under new epochs.
TEST(log_store, a_flipped_bit_in_the_files_is_never_served) {
    log::set_level("off");
    for (const bool flushed : {false, true}) {
        std::uint64_t refused = 0, told = 0, unharmed = 0;
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            std::uint64_t random = seed;
            const temporary_folder folder;
            std::set<std::string> written;
            {
                log_store store(folder.path());
                for (std::uint64_t offset = 1; offset <= 20; ++offset) {
                    ASSERT_FALSE(store.write(ops{op(hub::keep_channel{"a", "epoch-1", 0}), keep("a", offset)})
                    );
                    written.insert(publication("a", offset)->line);
                }
            }
            if (flushed) log_store(folder.path());  // opening again moves the log into a sorted file
            const auto files = files_of(folder.path(), flushed ? ".sst" : ".log");
            ASSERT_FALSE(files.empty());
            const std::string& file = files[next_random(random, static_cast<std::uint32_t>(files.size()))];
            const auto size = static_cast<std::uint32_t>(std::filesystem::file_size(file));
            if (size == 0) continue;
            flip(file, next_random(random, size));
            try {
                log_store store(folder.path());
                const auto found = store.load();
                std::size_t served = 0;
                std::string epoch;
                for (const auto& c : found.channels) {
                    epoch = c.epoch;
                    for (const auto& p : c.publications) {
                        ++served;
                        EXPECT_TRUE(written.contains(p->line)) << p->line;
                    }
                }
                if (served == 20) {
                    ++unharmed;
                } else {
                    ++told;
                    EXPECT_TRUE(epoch != "epoch-1" || !found.damaged.empty()) << seed << " lost in silence";
                }
            } catch (const std::runtime_error& e) {
                ++refused;
                EXPECT_THAT(e.what(), ::testing::HasSubstr("The files are damaged"));
            }
        }
        EXPECT_GT(refused + told, 20u) << refused << " " << told << " " << unharmed;
    }
}

}  // namespace
}  // namespace pulsewire::shell
