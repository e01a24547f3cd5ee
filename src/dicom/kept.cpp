#include "dicom/kept.h"

#include <initializer_list>

namespace fovea::dicom {
namespace {

struct Kept {
  Place place;
  Keep how;
  std::initializer_list<uint32_t> tags;
};

/// Only these values are kept. LUT data, windows and rescale stand in places of their own.
constexpr Kept kKept[] = {
    {Place::top, Keep::text, {0x00080016, 0x00080060, 0x00180050, 0x00180088, 0x00181164,
                              0x00182010, 0x00200032, 0x00200037, 0x00280004, 0x00280008,
                              0x00280030, 0x00280301, 0x00281050, 0x00281051, 0x00281052,
                              0x00281053, 0x00281054, 0x00281056, 0x3004000E, 0x00541001,
                              0x7FE00001, 0x7FE00002}},
    {Place::top,
     Keep::words,
     {0x00280002, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
      0x00280103, 0x00280120, 0x00280121, 0x00281101, 0x00281102, 0x00281103, 0x00281201,
      0x00281202, 0x00281203, 0x00281221, 0x00281222, 0x00281223}},
    {Place::modality_lut, Keep::words, {0x00283002, 0x00283006}},
    {Place::voi_lut, Keep::words, {0x00283002, 0x00283006}},
    {Place::transformation, Keep::text, {0x00281052, 0x00281053}},
    {Place::frame_voi, Keep::text, {0x00281050, 0x00281051, 0x00281056}},
    {Place::measures, Keep::text, {0x00280030, 0x00180050, 0x00180088}},
    {Place::position, Keep::text, {0x00200032}},
    {Place::orientation, Keep::text, {0x00200037}},
};

struct Way {
  Place from;
  uint32_t tag;
  Place to;
};

/// The sequences worth entering, and where they lead.
constexpr Way kWays[] = {
    {Place::top, 0x00283000, Place::modality_lut},
    {Place::top, 0x00283010, Place::voi_lut},
    {Place::top, 0x52009229, Place::shared},
    {Place::top, 0x52009230, Place::frames},
    {Place::shared, 0x00289145, Place::transformation},
    {Place::shared, 0x00289132, Place::frame_voi},
    {Place::shared, 0x00289110, Place::measures},
    {Place::shared, 0x00209113, Place::position},
    {Place::shared, 0x00209116, Place::orientation},
    {Place::frames, 0x00289145, Place::transformation},
    {Place::frames, 0x00289132, Place::frame_voi},
    {Place::frames, 0x00289110, Place::measures},
    {Place::frames, 0x00209113, Place::position},
    {Place::frames, 0x00209116, Place::orientation},
};

}  // namespace

Keep keep(Place place, uint32_t tag) {
  for (const Kept& kept : kKept)
    if (kept.place == place)
      for (const uint32_t candidate : kept.tags)
        if (candidate == tag) return kept.how;
  return Keep::no;
}

Place place_of_sequence(Place parent, uint32_t tag) {
  for (const Way& way : kWays)
    if (way.from == parent && way.tag == tag) return way.to;
  return Place::other;
}

}  // namespace fovea::dicom
