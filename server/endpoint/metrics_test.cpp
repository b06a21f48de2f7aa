#include "server/testing/certificate.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;

// Those of a server with everything that has metrics of its own.
std::string all_metrics() {
    const temporary_folder folder;
    const certificate_files tls(folder.path() + "/server");
    config c = test_config(1);
    c.data = folder.path() + "/data";
    c.tls_certificate = tls.certificate;
    c.tls_key = tls.key;
    // It need not be there.
    c.broker = "nats://127.0.0.1:1/nobody";
    consume_settings& feed = c.consume.emplace_back();
    feed.name = "orders";
    feed.from = "orders";
    feed.channel = "orders:all";
    feed.type = "order";
    running_server server(c);
    client asking(server.port(), tls_wishes());
    return ask(asking, "GET", "/metrics").body;
}

TEST(metrics, every_one_is_explained) {
    const std::string documented = text_of_file("docs/operating.md");
    std::istringstream lines(all_metrics());
    int metrics = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const std::string name = line.substr(7, line.rfind(' ') - 7);
        ++metrics;
        EXPECT_NE(documented.find("| `" + name + "` |"), std::string::npos)
            << name << " is not in docs/operating.md";
        EXPECT_EQ(line.ends_with(" counter"), name.ends_with("_total")) << line;
    }
    EXPECT_GE(metrics, 40);
}

// The metrics in a text of PromQL, each with what its selector wants of one label, as 'reason="key"', besides
// the labels that Prometheus adds itself.
std::vector<std::pair<std::string, std::string>> metrics_in(const std::string& text) {
    static const std::regex metric(
        R"re(\b((?:pulsewire|process)_[a-z_]+)(?:\{(?:(?:job|instance)=~?\\?"[^"]*",?)*([a-z_]+=\\?"[^"\\]*)?)?)re"
    );
    std::vector<std::pair<std::string, std::string>> found;
    for (std::sregex_iterator at(text.begin(), text.end(), metric), end; at != end; ++at) {
        std::string label = (*at)[2].str();
        std::erase(label, '\\');
        found.emplace_back((*at)[1].str(), label);
    }
    return found;
}

// A chart or an alert of a metric that does not exist shows nothing, for ever.
TEST(metrics, charts_and_alerts_name_those_that_the_server_has) {
    const std::string has = all_metrics();
    for (const std::string file : {"ops/grafana.json", "ops/alerts.yml"}) {
        const auto named = metrics_in(text_of_file(file));
        EXPECT_GT(named.size(), 15u) << file;
        for (const auto& [name, label] : named) {
            const bool exists = has.find("\n" + name + " ") != std::string::npos ||
                                has.find("\n" + name + "{") != std::string::npos ||
                                has.find("# TYPE " + name + " ") != std::string::npos;
            EXPECT_TRUE(exists) << file << " names " << name;
            if (!label.empty()) {
                EXPECT_NE(has.find("\n" + name + "{" + label + "\""), std::string::npos)
                    << file << " names " << name << " with " << label;
            }
        }
    }
}

TEST(metrics, the_dashboard_has_charts_with_numbers) {
    const auto board = nlohmann::json::parse(text_of_file("ops/grafana.json"));
    std::set<int> ids;
    for (const auto& panel : board["panels"]) {
        EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["title"];
        EXPECT_FALSE(panel["title"].get<std::string>().empty());
        EXPECT_FALSE(panel["targets"].empty()) << panel["title"];
    }
    EXPECT_GE(ids.size(), 15u);
}

// promtool belongs to Debian's package prometheus.
TEST(metrics, promtool_understands_the_alerts) {
    if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "promtool is not installed";
    EXPECT_EQ(std::system("promtool check rules ops/alerts.yml >/dev/null"), 0);
}

TEST(metrics, loops_and_descriptors_are_watched) {
    running_server server(test_config(1));
    const double before = server.metric("process_open_fds");
    EXPECT_GT(before, 3);
    const client one_more(server.port());
    server.wait_for("process_open_fds", before + 2);  // both ends are in this process
    EXPECT_GE(server.metric("process_max_fds"), before);
    EXPECT_GT(server.metric("process_start_time_seconds"), 1.7e9);
    server.wait_for("pulsewire_loop_lag_seconds_count", 1);
}

}  // namespace
}  // namespace pulsewire
