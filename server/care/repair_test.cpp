// `pulsewired verify` and `pulsewired repair` on folders that are really damaged.

#include "server/care/repair.hpp"

#include "common/base/random.hpp"
#include "server/care/test_folder.hpp"
#include "server/log.hpp"
#include "server/storage/folder_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace pulsewire::care {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int channels = 4;
constexpr std::uint64_t each = 60;

told verify(const test_folder& f) {
    return run({"verify", "--data", f.path()});
}
told repair_it(const test_folder& f) {
    return run({"repair", "--data", f.path()});
}

// What must hold after any damage and a repair: no publication that is served is another than was published
// or stands twice or out of its order, and a channel that has lost one has another epoch. Returns how many
// are served.
std::uint64_t check_repaired(const test_folder& f) {
    const auto all = contents_of(f.path());
    EXPECT_TRUE(all.damaged.empty());
    std::map<std::string, const hub::restored_channel*> by_name;
    for (const auto& c : all.channels) by_name[c.name] = &c;
    std::uint64_t served = 0;
    for (int i = 0; i < channels; ++i) {
        const auto found = by_name.find(test_folder::channel(i));
        if (found == by_name.end()) continue;
        const hub::restored_channel& c = *found->second;
        std::int64_t before_ms = 0;
        for (const auto& p : c.publications) {
            const auto original =
                test_folder::message(i, static_cast<std::uint64_t>(p->time_ms - 1'700'000'000'000));
            EXPECT_EQ(p->payload(), original->payload());
            EXPECT_EQ(p->user(), original->user());
            EXPECT_GT(p->time_ms, before_ms);
            before_ms = p->time_ms;
            ++served;
        }
        if (c.publications.size() != each) {
            EXPECT_NE(c.epoch, test_folder::epoch(i)) << c.name << " has lost something in silence";
        }
        if (c.epoch == test_folder::epoch(i)) {
            EXPECT_EQ(c.head, each);
        }
    }
    return served;
}

class damaged_folder : public ::testing::Test {
protected:
    damaged_folder() { log::set_level("off"); }
};

TEST_F(damaged_folder, a_whole_folder_is_whole_and_a_repair_changes_nothing) {
    const test_folder f;
    f.fill(channels, each);
    const told whole = verify(f);
    EXPECT_EQ(whole.code, 0) << whole.out;
    EXPECT_THAT(whole.out, HasSubstr("is whole: 240 publications in 4 channels, 80 remembered keys"));
    const told nothing = repair_it(f);
    EXPECT_EQ(nothing.code, 0);
    EXPECT_THAT(nothing.out, HasSubstr("nothing was changed"));
    EXPECT_EQ(check_repaired(f), channels * each);
    EXPECT_EQ(contents_of(f.path()).keys.size(), 80u);
}

TEST_F(damaged_folder, a_flipped_bit_in_a_block_costs_its_rows_and_the_channels_of_these_their_epochs) {
    const test_folder f;
    f.fill(channels, each);
    f.settle();
    const std::string file = f.files(".sst").back();
    // In the middle are publications.
    flip(file, fs::file_size(file) / 2);
    const told damage = verify(f);
    EXPECT_EQ(damage.code, 1);
    EXPECT_THAT(damage.out, HasSubstr("the file " + fs::path(file).filename().string() + " is damaged"));
    EXPECT_THAT(damage.out, HasSubstr("publications may be lost: from offset"));
    const told repaired = repair_it(f);
    EXPECT_EQ(repaired.code, 0) << repaired.out << repaired.err;
    EXPECT_THAT(repaired.out, HasSubstr("got new epochs"));
    const std::uint64_t served = check_repaired(f);
    EXPECT_GE(served, channels * each - 20) << "a block has few rows";
    EXPECT_LT(served, channels * each);
    std::set<std::string> old_epochs;
    for (const auto& c : contents_of(f.path()).channels)
        if (c.epoch.starts_with("epoch-")) old_epochs.insert(c.epoch);
    EXPECT_GE(old_epochs.size(), channels - 2u) << "others are as they were";
    EXPECT_EQ(verify(f).code, 0);
}

TEST_F(damaged_folder, a_flipped_bit_anywhere_is_found_and_nothing_is_lost_in_silence) {
    std::uint64_t found = 0, kept = 0;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        std::uint64_t random = seed;
        const test_folder f;
        f.fill(channels, each);
        f.settle();
        const std::string file = f.files(".sst").back();
        flip(file, next_random(random, static_cast<std::uint32_t>(fs::file_size(file))));
        const told damage = verify(f);
        if (damage.code == 0) continue;
        ++found;
        const told repaired = repair_it(f);
        if (repaired.code != 0) {
            EXPECT_THAT(repaired.err, HasSubstr("nothing can be kept")) << seed;
            continue;
        }
        kept += check_repaired(f) > 0;
        EXPECT_EQ(verify(f).code, 0) << seed << verify(f).out;
    }
    EXPECT_GE(found, 18u);
    EXPECT_GE(kept, found / 2);
}

TEST_F(damaged_folder, a_damaged_write_ahead_log_renews_every_epoch) {
    const test_folder f;
    f.fill(channels, each);
    const std::string log = f.files(".log").back();
    flip(log, fs::file_size(log) / 3);
    const told damage = verify(f);
    EXPECT_EQ(damage.code, 1);
    EXPECT_THAT(damage.out, HasSubstr("write-ahead log"));
    EXPECT_EQ(repair_it(f).code, 0);
    EXPECT_GT(check_repaired(f), each) << "what stands after the damage is whole, too";
    for (const auto& c : contents_of(f.path()).channels)
        EXPECT_THAT(c.epoch, Not(HasSubstr("epoch-"))) << c.name;
}

TEST_F(damaged_folder, a_missing_file_of_rows_is_named_and_what_others_have_is_kept) {
    const test_folder f;
    f.fill(1, each);
    f.settle();
    {
        // In files of their own.
        shell::log_store store(f.path());
        for (std::uint64_t offset = 1; offset <= each; ++offset)
            ASSERT_FALSE(store.write(std::vector<hub::store_op>{
                {1, 0, hub::keep_channel{test_folder::channel(3), test_folder::epoch(3), 0}},
                {1, 0, hub::keep_publication{test_folder::message(3, offset), test_folder::epoch(3), {}, 0}}})
            );
    }
    f.settle();
    const auto files = f.files(".sst");
    ASSERT_GE(files.size(), 2u);
    fs::remove(files.back());
    const told damage = verify(f);
    EXPECT_EQ(damage.code, 1);
    EXPECT_THAT(
        damage.out, HasSubstr("the file " + fs::path(files.back()).filename().string() + " is missing")
    );
    const told repaired = repair_it(f);
    EXPECT_EQ(repaired.code, 0) << repaired.err;
    EXPECT_GE(check_repaired(f), each);
}

TEST_F(damaged_folder, without_the_list_of_its_files_everything_is_read_and_every_epoch_is_new) {
    for (const std::string how : {"cut", "missing", "without CURRENT"}) {
        const test_folder f;
        f.fill(channels, each);
        f.settle();
        if (how == "cut") fs::resize_file(f.manifest(), fs::file_size(f.manifest()) / 2);
        if (how == "missing") fs::remove(f.manifest());
        if (how == "without CURRENT") fs::remove(f.path() + "/CURRENT");
        EXPECT_THROW(contents_of(f.path()), std::runtime_error) << how << ": a start would hide it";
        const told damage = verify(f);
        EXPECT_EQ(damage.code, 1) << how;
        EXPECT_THAT(damage.out, HasSubstr("the list of the files")) << how;
        const told repaired = repair_it(f);
        EXPECT_EQ(repaired.code, 0) << how << repaired.err;
        EXPECT_EQ(check_repaired(f), channels * each) << how;
        for (const auto& c : contents_of(f.path()).channels)
            EXPECT_THAT(c.epoch, Not(HasSubstr("epoch-"))) << how;
    }
}

TEST_F(damaged_folder, the_damaged_files_stay_and_revoked_tokens_go_on_counting) {
    const test_folder f;
    f.fill(channels, each);
    f.settle();
    const std::string list = "{\"user\":\"u.ann\",\"issued_before_ms\":1800000000000}\n";
    std::ofstream(f.path() + "/revocations") << list;
    const std::string file = f.files(".sst").back();
    flip(file, fs::file_size(file) / 2);
    const told repaired = repair_it(f);
    const std::size_t at = repaired.out.find(f.path() + "/damaged-");
    ASSERT_NE(at, std::string::npos) << repaired.out;
    const std::string kept = repaired.out.substr(at, repaired.out.find(';', at) - at);
    EXPECT_TRUE(fs::exists(kept + "/" + fs::path(file).filename().string()));
    EXPECT_FALSE(fs::exists(f.path() + "/repair.part"));
    std::ifstream now(f.path() + "/revocations");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(now), {}), list);
}

// Clients that saw more than a restored backup has must not be told later that nothing is missing.
TEST_F(damaged_folder, new_epochs_are_there_for_a_restored_backup) {
    const test_folder f;
    f.fill(channels, each);
    const told renewed = run({"repair", "--new-epochs", "--data", f.path()});
    EXPECT_EQ(renewed.code, 0) << renewed.err;
    EXPECT_EQ(check_repaired(f), channels * each);
    for (const auto& c : contents_of(f.path()).channels) {
        EXPECT_THAT(c.epoch, Not(HasSubstr("epoch-")));
        EXPECT_EQ(c.head, each);
    }
}

TEST_F(damaged_folder, a_damaged_list_of_revoked_tokens_is_named_and_left_to_a_person) {
    const test_folder f;
    f.fill(1, 3);
    std::ofstream(f.path() + "/revocations") << "{\"user\":\n";
    EXPECT_EQ(verify(f).code, 1);
    EXPECT_THAT(verify(f).out, HasSubstr("damaged in its line 1"));
    const told left = repair_it(f);
    EXPECT_EQ(left.code, 1);
    EXPECT_THAT(left.out, HasSubstr("Mend the line"));
}

// The last of several files, which a start would remove.
TEST_F(damaged_folder, a_list_that_lost_only_its_end_is_found) {
    const test_folder f;
    f.fill(2, each);
    f.settle();
    {
        shell::log_store store(f.path());
        for (std::uint64_t offset = each + 1; offset <= 2 * each; ++offset)
            ASSERT_FALSE(store.write(std::vector<hub::store_op>{
                {1, 0, hub::keep_publication{test_folder::message(0, offset), test_folder::epoch(0), {}, 0}}})
            );
    }
    f.settle();
    ASSERT_EQ(verify(f).code, 0) << verify(f).out;
    std::uint64_t refused = 0;
    for (std::uintmax_t cut = 10; cut < fs::file_size(f.manifest()); cut += 40) {
        const test_folder other;
        fs::copy(f.path(), other.path(), fs::copy_options::recursive);
        fs::resize_file(other.manifest(), fs::file_size(f.manifest()) - cut);
        try {
            const auto kept = contents_of(other.path());
            std::uint64_t publications = 0;
            for (const auto& c : kept.channels) publications += c.publications.size();
            EXPECT_EQ(publications, 3 * each) << "cut by " << cut << " bytes, in silence";
        } catch (const std::runtime_error& e) {
            ++refused;
            EXPECT_EQ(repair_it(other).code, 0) << cut;
        }
    }
    EXPECT_GT(refused, 0u);
}

// The exchange of the files is the only time at which a folder is neither the old one nor the new one.
TEST_F(damaged_folder, a_repair_that_was_interrupted_keeps_servers_out_and_is_finished_by_the_next) {
    const test_folder f;
    f.fill(channels, each);
    f.settle();
    const std::string file = f.files(".sst").back();
    flip(file, fs::file_size(file) / 2);
    // As it is before the exchange.
    const test_folder other;
    fs::copy(f.path(), other.path(), fs::copy_options::recursive);
    ASSERT_EQ(repair_it(other).code, 0);
    const std::string part = f.path() + "/repair.part";
    fs::create_directories(part + "/new");
    for (const auto& entry : fs::directory_iterator(other.path()))
        if (entry.is_regular_file())
            fs::copy_file(entry.path(), part + "/new/" + entry.path().filename().string());
    std::ofstream(part + "/plan") << "damaged-then\n";
    EXPECT_THROW(contents_of(f.path()), std::runtime_error);
    EXPECT_EQ(verify(f).code, 1);
    fs::create_directory(f.path() + "/damaged-then");
    fs::rename(f.path() + "/CURRENT", f.path() + "/damaged-then/CURRENT");
    EXPECT_THROW(contents_of(f.path()), std::runtime_error);
    const told finished = repair_it(f);
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_THAT(finished.out, HasSubstr("is finished"));
    EXPECT_EQ(verify(f).code, 0) << verify(f).out;
    EXPECT_GT(check_repaired(f), 0u);
    EXPECT_TRUE(fs::exists(f.path() + "/damaged-then/" + fs::path(file).filename().string()));
}

TEST_F(damaged_folder, commands_say_what_they_cannot_do) {
    const test_folder f;
    EXPECT_EQ(run({"verify"}).code, 2);
    EXPECT_THAT(run({"verify"}).err, HasSubstr("no data folder is named"));
    EXPECT_THAT(verify(f).err, HasSubstr("there is no folder"));
    fs::create_directory(f.path());
    EXPECT_THAT(verify(f).err, HasSubstr("no server ever used"));
    f.fill(1, 1);
    const auto lock = shell::folder_lock::try_to_take(f.path());
    EXPECT_THAT(repair_it(f).err, HasSubstr("a server uses the folder"));
    EXPECT_THAT(verify(f).err, HasSubstr("cannot be asked for a copy"));
}

}  // namespace
}  // namespace pulsewire::care
