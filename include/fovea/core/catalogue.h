// Every family of named things (encoders, transforms, losses …) has one catalogue: a table written
// out by hand in one .cpp. A Choice is one row of it together with its settings, as a config writes
// it: `{resnet: {depth: 18}}` or `resnet`. A program that embeds fovea adds lines of its own.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "fovea/core/fields.h"

namespace fovea {

/// Settings of an unknown type, held so that Fields can still visit them.
class AnySettings {
 public:
  virtual ~AnySettings() = default;
  virtual void read(const Node& node) = 0;
  virtual Node write() const = 0;
  virtual std::vector<SettingRow> list() const = 0;
  virtual std::shared_ptr<AnySettings> clone() const = 0;
};

template <class Options>
class Held final : public AnySettings {
 public:
  explicit Held(Options options = {}) : options(std::move(options)) {}
  void read(const Node& node) override { Fields::read(node, options, true); }
  Node write() const override { return Fields::write(options); }
  std::vector<SettingRow> list() const override { return Fields::list(options); }
  std::shared_ptr<AnySettings> clone() const override {
    return std::make_shared<Held<Options>>(options);
  }
  Options options;
};

/// Settings of a thing that has none.
struct NoOptions {
  void describe(Fields&) {}
};

/// What documentation and messages need of a catalogue.
class CatalogueBase {
 public:
  struct Row {
    std::string name;
    std::string help;  ///< one line, with the source (paper, standard)
    std::function<std::shared_ptr<AnySettings>()> defaults;
    std::vector<std::string> also = {};      ///< other names of it
    std::vector<std::string> formerly = {};  ///< names it had: read with a warning, once

    bool is_called(std::string_view name) const;
    std::vector<std::string> every_name() const;
  };

  explicit CatalogueBase(std::string family) : family_(std::move(family)) {}
  virtual ~CatalogueBase() = default;
  const std::string& family() const { return family_; }  ///< "encoders"
  virtual std::vector<Row> rows() const = 0;
  std::vector<std::string> names() const;

 private:
  std::string family_;
};

template <class Signature>
class Catalogue;

/// A table of makers: each turns its settings and the Context (what the place of use knows) into a
/// Product.
template <class Product, class... Context>
class Catalogue<Product(Context...)> final : public CatalogueBase {
 public:
  struct Item {
    Row row;
    std::function<Product(const AnySettings&, Context...)> make;

    Item also(std::string name) {
      row.also.push_back(std::move(name));
      return std::move(*this);
    }
    Item formerly(std::string name) {
      row.formerly.push_back(std::move(name));
      return std::move(*this);
    }
  };

  Catalogue(std::string family, std::vector<Item> items) : CatalogueBase(std::move(family)) {
    for (Item& item : items) add(std::move(item));
  }

  /// One more line, of a program that embeds fovea: from then on configs, checkpoints and bundles may
  /// name it. A config Error where a line has the name. Before threads read the table.
  void add(Item item) {
    for (const std::string& name : item.row.every_name())
      if (find(name))
        throw config_error("found the name '" + name + "' twice among the " + family() +
                           ", wanted a name of its own for each");
    items_.push_back(std::move(item));
  }

  /// One line of the table; `make` is called with (const Options&, Context...). Settings of another
  /// type than Options are a config Error.
  template <class Options, class Make>
  static Item item(std::string name, std::string help, Make make) {
    return {
        {name, std::move(help), [] { return std::make_shared<Held<Options>>(); }},
        [make, name](const AnySettings& settings, Context... context) -> Product {
          const auto* held = dynamic_cast<const Held<Options>*>(&settings);
          if (!held)
            throw config_error("'" + name + "': found settings of another type, wanted its own");
          return make(held->options, std::forward<Context>(context)...);
        }};
  }

  std::vector<Row> rows() const override {
    std::vector<Row> rows;
    for (const Item& item : items_) rows.push_back(item.row);
    return rows;
  }

  const Item* find(std::string_view name) const {
    const auto found =
        std::ranges::find_if(items_, [&](const Item& item) { return item.row.is_called(name); });
    return found == items_.end() ? nullptr : &*found;
  }

 private:
  std::deque<Item> items_;  // a line stays where it is
};

/// A choice whose family is not known to the reader of settings. A copy has settings of its own.
class ChoiceBase {
 public:
  ChoiceBase(const CatalogueBase& catalogue, std::string_view name);
  ChoiceBase(const ChoiceBase& other);
  ChoiceBase& operator=(const ChoiceBase& other);
  ChoiceBase(ChoiceBase&&) = default;
  ChoiceBase& operator=(ChoiceBase&&) = default;

  const CatalogueBase& catalogue() const { return *catalogue_; }
  const std::string& name() const { return name_; }
  const AnySettings& settings() const { return *settings_; }
  bool chosen() const { return !name_.empty(); }

  /// Takes `name` with its default settings; a config Error with the nearest name where the
  /// catalogue has none such.
  void select(std::string_view name, const std::string& place = "");
  void read_settings(const Node& node) { settings_->read(node); }

 protected:
  void hold(std::shared_ptr<AnySettings> settings) { settings_ = std::move(settings); }

 private:
  const CatalogueBase* catalogue_;
  std::string name_;
  std::shared_ptr<AnySettings> settings_;
};

template <class Signature>
class Choice;

/// One named thing of a family. Derive a default-constructible type per family:
///   struct LossChoice : Choice<LossPtr()> { LossChoice() : Choice(losses(), "cross_entropy") {} };
template <class Product, class... Context>
class Choice<Product(Context...)> : public ChoiceBase {
 public:
  using Table = Catalogue<Product(Context...)>;

  explicit Choice(const Table& table, std::string_view name = "")
      : ChoiceBase(table, name), table_(&table) {}

  /// For C++ callers: `choice.set("resnet", ResNetOptions{.depth = 50})`. A config Error where the
  /// settings are not those of that name.
  template <class Options>
  void set(std::string_view name, Options options) {
    select(name);
    if (!dynamic_cast<const Held<Options>*>(&settings()))
      throw config_error("'" + std::string(name) + "' among the " + table_->family() +
                         ": found settings of another type, wanted its own");
    hold(std::make_shared<Held<Options>>(std::move(options)));
  }

  Product make(Context... context) const {
    if (!chosen())
      throw config_error("found nothing, wanted one of the " + table_->family() + ": " +
                         join(table_->names()));
    return table_->find(name())->make(settings(), std::forward<Context>(context)...);
  }

 private:
  const Table* table_;
};

}  // namespace fovea
