#pragma once

// A data folder with known content, and ways to damage it.

#include "common/exchange/message_text.hpp"
#include "common/exchange/store.hpp"
#include "server/care/commands.hpp"
#include "server/storage/log_store.hpp"
#include "server/testing/temporary_folder.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace pulsewire::care {

class test_folder {
public:
    const std::string& home() const { return home_.path(); }
    std::string path(const std::string& name = "data") const { return home_.path() + "/" + name; }

    // Channels a, b, … with publications 1 to `each` of some size; every third one has a key.
    void fill(int channels, std::uint64_t each) const {
        shell::log_store store(path());
        for (int i = 0; i < channels; ++i) {
            const std::string name = channel(i);
            std::vector<hub::store_op> ops{{1, 0, hub::keep_channel{name, epoch(i), 0}}};
            for (std::uint64_t offset = 1; offset <= each; ++offset)
                ops.push_back(
                    {1, 0,
                     hub::keep_publication{
                         message(i, offset), epoch(i), offset % 3 == 0 ? key(offset) : "", 7}}
                );
            if (store.write(ops)) throw std::runtime_error("the folder cannot be filled");
        }
    }
    // Opening it again moves what was written into files of rows.
    void settle() const { const shell::log_store again(path()); }

    static std::string channel(int i) { return "chat:" + std::string(1, static_cast<char>('a' + i)); }
    static std::string epoch(int i) { return "epoch-" + std::string(1, static_cast<char>('a' + i)); }
    static std::string key(std::uint64_t offset) { return "key-" + std::to_string(offset); }
    static hub::message_ptr message(int i, std::uint64_t offset) {
        hub::publish p;
        p.channel = channel(i);
        p.type = "t";
        // Different bytes, which no compression makes small.
        std::string text;
        std::uint64_t random = static_cast<std::uint64_t>(i) * 1'000 + offset;
        for (int n = 0; n < 400; ++n) {
            random = random * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
            text.push_back(static_cast<char>('a' + (random >> 33) % 26));
        }
        p.payload = "{\"n\":" + std::to_string(offset) + ",\"text\":\"" + text + "\"}";
        p.user = "u.ann";
        return hub::make_message(p, offset, 1'700'000'000'000 + static_cast<std::int64_t>(offset));
    }

    std::vector<std::string> files(const std::string& ending) const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path()))
            if (entry.is_regular_file() && entry.path().filename().string().ends_with(ending))
                found.push_back(entry.path().string());
        std::sort(found.begin(), found.end());
        return found;
    }
    std::string manifest() const {
        for (const auto& entry : std::filesystem::directory_iterator(path()))
            if (entry.path().filename().string().starts_with("MANIFEST-")) return entry.path().string();
        return {};
    }

private:
    testing::temporary_folder home_;
};

inline void flip(const std::string& file, std::uint64_t at) {
    std::fstream content(file, std::ios::in | std::ios::out | std::ios::binary);
    content.seekg(static_cast<std::streamoff>(at));
    const char changed = static_cast<char>(content.get() ^ 0x10);
    content.seekp(static_cast<std::streamoff>(at));
    content.put(changed);
}

// As a person sees it.
struct told {
    int code = -1;
    std::string out, err;
};
inline told run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    std::vector<const char*> argv{"pulsewired"};
    for (const std::string& one : arguments) argv.push_back(one.c_str());
    std::istringstream in(input);
    std::ostringstream out, err;
    const auto code = run_command(
        static_cast<int>(argv.size()), argv.data(), [](const std::string&) { return std::nullopt; },
        {in, out, err}
    );
    return {code.value_or(-1), out.str(), err.str()};
}

// What a server would have after a start.
inline shell::log_store::contents contents_of(const std::string& folder) {
    return shell::log_store(folder).load();
}

}  // namespace pulsewire::care
