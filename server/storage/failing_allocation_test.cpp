// Every allocation in the life of a hub and its store fails once: the process ends there and says so, and
// what it had acknowledged is kept, once, and can be repeated (promises P3 and P4).

#include "common/hub/hub.hpp"
#include "server/out_of_memory.hpp"
#include "server/storage/log_store.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace pulsewire::shell {
namespace {

struct acknowledged {
    std::string channel;
    std::uint64_t offset = 0;
};

struct life {
    int exit_code = -1;
    std::string said;  // on standard error
    std::map<std::string, acknowledged> published;
};

life live(const std::string& folder, int failing) {
    life l;
    const std::string errors = folder + ".errors";
    const std::string command =
        PULSEWIRE_FAILING_ALLOCATION " " + folder + " " + std::to_string(failing) + " 2>" + errors;
    FILE* output = ::popen(command.c_str(), "r");
    char line[256];
    while (std::fgets(line, sizeof line, output) != nullptr) {
        std::istringstream words(line);
        std::string key;
        acknowledged a;
        words >> key >> a.channel >> a.offset;
        l.published[key] = a;
    }
    const int status = ::pclose(output);
    if (WIFEXITED(status)) l.exit_code = WEXITSTATUS(status);
    if (FILE* said = std::fopen(errors.c_str(), "r")) {
        while (std::fgets(line, sizeof line, said) != nullptr) l.said += line;
        std::fclose(said);
        std::remove(errors.c_str());
    }
    return l;
}

// The folder must have kept each acknowledged publish at its place, nothing twice, no holes, and a repeated
// key answers with the first position.
void expect_kept(const std::string& folder, const life& l) {
    log_store store(folder);
    log_store::contents kept = store.load();
    EXPECT_TRUE(kept.damaged.empty());
    std::map<std::string, std::vector<std::string>> payloads;
    for (const hub::restored_channel& c : kept.channels) {
        std::uint64_t offset = 0;
        for (const hub::message_ptr& p : c.publications) {
            EXPECT_EQ(p->offset, ++offset);
            payloads[c.name].emplace_back(p->payload());
        }
        EXPECT_EQ(std::set(payloads[c.name].begin(), payloads[c.name].end()).size(), payloads[c.name].size());
    }
    hub::config c;
    c.store_id = store.id();
    c.store_generation = store.generation();
    c.default_namespace.keeps = durability::disk;
    hub::hub h(c);
    const hub::instant now{1'000, 1'700'000'001'000};
    for (hub::restored_channel& channel : kept.channels) h.restore(std::move(channel), now);
    for (const hub::restored_key& key : kept.keys) h.restore(key, now);
    h.open(1, hub::face::protocol, {}, {}, now);
    h.receive(1, R"({"op":"connect","version":1,"session":"publisher"})", now);
    for (const auto& [key, a] : l.published) {
        ASSERT_LE(a.offset, payloads[a.channel].size()) << key;
        h.out().clear();
        h.receive(
            1,
            R"({"op":"publish","id":1,"key":")" + key + R"(","channel":")" + a.channel +
                R"(","type":"t","payload":")" + key.substr(1) +
                R"( and a payload that does not fit into a small string"})",
            now
        );
        ASSERT_EQ(h.out().sends.size(), 1u);
        EXPECT_EQ(h.out().sends[0].what->offset, a.offset) << key;
    }
}

TEST(failing_allocation, each_one_ends_the_process_and_loses_nothing_acknowledged) {
    std::size_t lives = 0, most = 0;
    for (int n = 0;; ++n, ++lives) {
        const testing::temporary_folder folder;
        const life l = live(folder.path() + "/data", n);
        most = std::max(most, l.published.size());
        if (l.exit_code == 0) break;
        ASSERT_EQ(l.exit_code, out_of_memory_exit_code) << "allocation " << n << ": " << l.said;
        ASSERT_NE(l.said.find("out of memory"), std::string::npos);
        ASSERT_NO_FATAL_FAILURE(expect_kept(folder.path() + "/data", l)) << "allocation " << n;
    }
    EXPECT_GT(lives, 100u);
    EXPECT_EQ(most, 4u);
}

}  // namespace
}  // namespace pulsewire::shell
