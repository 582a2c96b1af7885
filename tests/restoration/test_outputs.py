"""Which files are restored, and where the results go."""

import os
import pathlib

import pytest
from PIL import Image

from keras_indi.restoration.outputs import find_outputs, one_output

pytestmark = pytest.mark.backend_free


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "photos/b.png", "photos/deep/c.tif", "photos/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def write_whole_image(path):
    Image.new("L", (9, 8)).save(path)


def outputs(*arguments, **options):
    jobs, skipped, *_ = find_outputs(*arguments, **options)
    assert skipped == []
    return {
        os.path.relpath(job.source): [os.path.relpath(p) for p in job.outputs]
        for job in jobs
    }


def test_beside_the_inputs(here):
    found = outputs(["a.jpg", "photos"])
    assert found == {
        "a.jpg": ["a-restored.jpg"],
        "photos/b.png": ["photos-restored/b.png"],
        "photos/deep/c.tif": ["photos-restored/deep/c.tif"],
    }


def test_into_a_folder_with_names_and_sub_folders(here):
    found = outputs(["a.jpg", "photos/"], "out")
    assert found == {
        "a.jpg": ["out/a.jpg"],
        "photos/b.png": ["out/b.png"],
        "photos/deep/c.tif": ["out/deep/c.tif"],
    }


def test_one_file_of_another_format_and_samples(here):
    assert outputs(["a.jpg"], "b.png") == {"a.jpg": ["b.png"]}
    found = outputs(["a.jpg"], "b.png", num_samples=2)
    assert found == {"a.jpg": ["b-1.png", "b-2.png"]}
    assert outputs(["a.jpg"], num_samples=1) == {"a.jpg": ["a-restored-1.jpg"]}
    (here / "folder.png").mkdir()
    assert outputs(["a.jpg"], "folder.png") == {"a.jpg": ["folder.png/a.jpg"]}
    with pytest.raises(ValueError, match="must be a folder.* for 2 images"):
        find_outputs(["photos"], "b.png")


def test_an_ending_that_is_not_written(here):
    with pytest.raises(ValueError, match=r"\.webp.* Received: out='b.gif'"):
        find_outputs(["a.jpg"], "b.gif")
    assert outputs(["a.jpg"], "version1.2") == {"a.jpg": ["version1.2/a.jpg"]}


def test_patterns_and_inputs_named_twice(here):
    found = outputs(["**/*.*", "a.jpg", "photos/b.png"], "out")
    assert sorted(found) == ["a.jpg", "photos/b.png", "photos/deep/c.tif"]
    (here / "odd[1].png").write_bytes(b"")
    assert outputs(["odd[1].png"], "out") == {"odd[1].png": ["out/odd[1].png"]}


@pytest.mark.parametrize(
    "inputs, problem",
    [
        (["none.jpg"], r"^File or folder not found. Received: 'none.jpg'$"),
        (["*.gif"], r"^No image matches this pattern. Received: '\*.gif'$"),
        ([], r"Received: inputs=\[\]$"),
    ],
)
def test_inputs_that_name_nothing(here, inputs, problem):
    with pytest.raises(ValueError, match=problem):
        find_outputs(inputs, "out")


@pytest.mark.parametrize("inputs", [[None], None, [5], 5, "", ["a\0b"], [b"a.jpg"]])
def test_what_is_no_path(here, inputs):
    with pytest.raises(ValueError, match="`inputs` must be a path. Received: inputs="):
        find_outputs(inputs, "out")
    if inputs is not None:
        with pytest.raises(ValueError, match="`out` must be a path. Received: out="):
            find_outputs(["a.jpg"], inputs)
    for arguments in ((inputs, "b.png"), ("a.jpg", inputs)):
        with pytest.raises(ValueError, match="put_path` must be a path. Received: "):
            one_output(*arguments, overwrite=False)


def test_one_input_by_itself(here):
    assert outputs("a.jpg", "out") == outputs([here / "a.jpg"], "out")


def test_a_folder_without_images(here):
    (here / "empty").mkdir()
    with pytest.raises(ValueError, match="must hold images.*Received: 'empty'"):
        find_outputs(["empty"], "out")


def test_two_inputs_of_one_result(here):
    (here / "b.png").write_bytes(b"")
    (here / "out").mkdir()
    (here / "out/b.png").write_text("mine")
    jobs = find_outputs(["b.png", "photos"], "out").jobs
    problems = {str(job.source): job.problem for job in jobs}
    reason = "one of several with the same output (b.png, photos/b.png)"
    assert problems.pop("b.png") == problems.pop("photos/b.png")
    assert problems == {"photos/deep/c.tif": None} and reason in jobs[0].problem
    # Neither is done, whatever is there; parts of the work find it together.
    for shard, existing in (((0, 3), "skip"), ((1, 3), "refuse")):
        own = find_outputs(["b.png", "photos"], "out", None, existing, shard=shard)
        assert reason in own.jobs[0].problem and own.skipped == []
    (here / "a-1.jpg").write_bytes(b"")
    (here / "a.jpg").rename(here / "a-1-1.jpg")
    (here / "a.jpg").write_bytes(b"")
    assert outputs(["a.jpg", "a-1.jpg"], "out", num_samples=1)


def test_results_that_are_there(here):
    (here / "out/deep").mkdir(parents=True)
    write_whole_image(here / "out/b.png")
    with pytest.raises(ValueError, match="--skip-existing.*Received: out/b.png"):
        find_outputs(["photos"], "out")
    todo, skipped, *_ = find_outputs(["photos"], "out", existing="skip")
    assert [t.source.name for t in todo] == ["c.tif"]
    assert [t.source.name for t in skipped] == ["b.png"]
    todo, skipped, *_ = find_outputs(["photos"], "out", existing="overwrite")
    assert len(todo) == 2 and not skipped
    # Samples of which some are there are drawn again, all of them.
    (here / "out/a-1.jpg").write_bytes(b"")
    todo, *_ = find_outputs(["a.jpg"], "out", num_samples=2, existing="skip")
    assert len(todo) == 1


def test_a_result_that_is_there_may_be_protected(here, monkeypatch):
    (here / "out").mkdir()
    write_whole_image(here / "out/b.png")
    access = os.access

    def protected(path, mode):  # for the superuser, all is writable
        return access(path, mode) and pathlib.Path(path).name != "b.png"

    monkeypatch.setattr(os, "access", protected)
    jobs, skipped, *_ = find_outputs(["photos"], "out", existing="skip")
    assert [job.name for job in skipped] == ["b.png"] and len(jobs) == 1
    with pytest.raises(ValueError, match="it is read-only.*Received: 'out/b.png'"):
        find_outputs(["photos"], "out", existing="overwrite")


def test_results_that_are_empty_or_end_early_are_made_again(here):
    (here / "out/deep").mkdir(parents=True)
    write_whole_image(here / "out/b.png")
    content = (here / "out/b.png").read_bytes()
    for result in (b"", content[:-20]):
        (here / "out/b.png").write_bytes(result)
        todo, skipped, *_ = find_outputs(["photos"], "out", existing="skip")
        assert len(todo) == 2 and not skipped
        with pytest.raises(ValueError, match="already exist"):
            find_outputs(["photos"], "out")


def test_an_input_is_replaced_only_where_that_is_asked_for(here):
    for existing in ("refuse", "skip"):
        for inputs, out in ((["photos"], "photos"), (["a.jpg"], "."), (["a.jpg"],) * 2):
            out = out if isinstance(out, str) else out[0]
            with pytest.raises(ValueError, match="would overwrite its own input"):
                find_outputs(inputs, out, existing=existing)
    assert outputs(["photos"], "photos", existing="overwrite") == {
        "photos/b.png": ["photos/b.png"],
        "photos/deep/c.tif": ["photos/deep/c.tif"],
    }
    os.symlink("photos", here / "link")
    with pytest.raises(ValueError, match="would overwrite its own input"):
        find_outputs(["photos"], "link")


def make(*paths):
    for path in map(pathlib.Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


@pytest.mark.parametrize("existing", ["refuse", "skip", "overwrite"])
def test_no_input_is_replaced_by_the_result_of_another(here, existing):
    make("a-1.jpg", "photos/photos/b.png", "b.bmp", "q/photos/b.png", "photos/B.PNG")
    (here / "B.PNG").hardlink_to(here / "b.bmp")  # as on disks that ignore case
    for inputs, out, options in (
        (["a.jpg", "a-1.jpg"], ".", {"num_samples": 2}),
        (["a.jpg", "a-1.jpg"], ".", {"name": "{name}-1"}),
        (["photos"], ".", {}),
        # Nor if the other has no result of its own: two have the name b.png.
        (["photos/b.png", "b.bmp", "q"], ".", {}),
        (["photos/B.PNG", "b.bmp"], ".", {}),
    ):
        with pytest.raises(ValueError, match="another input.*Received: .* for "):
            find_outputs(inputs, out, existing=existing, **options)
    # Two names of one file, each with its own result.
    (here / "photos/c.png").hardlink_to(here / "photos/b.png")
    found = outputs(["photos/b.png", "photos/c.png"], "photos", existing="overwrite")
    assert found == {f"photos/{n}.png": [f"photos/{n}.png"] for n in "bc"}


def test_links_among_output_folders_give_one_result_two_names(here):
    make("in/a/x.png", "in/b/x.png", "out/b/y.png")
    (here / "out/a").symlink_to("b")
    jobs = find_outputs(["in"], "out").jobs
    assert all("same output (in/a/x.png, in/b/x.png)" in job.problem for job in jobs)


def test_folders_are_never_replaced(here):
    (here / "out/b.png").mkdir(parents=True)
    (here / "out/deep/c.tif").mkdir(parents=True)
    with pytest.raises(ValueError, match="already exist"):
        find_outputs(["photos"], "out")
    for existing in ("skip", "overwrite"):
        jobs, skipped, *_ = find_outputs(["photos"], "out", existing=existing)
        assert skipped == [] and len(jobs) == 2
        assert all("a folder that exists" in job.problem for job in jobs)


def test_names_that_begin_with_a_tilde(here, monkeypatch):
    make("~a.jpg", "home/b.jpg")
    monkeypatch.setenv("HOME", str(here / "home"))
    assert outputs(["~a.jpg"], "~out") == {"~a.jpg": ["~out/~a.jpg"]}
    assert outputs(["~/b.jpg"], "~/c.jpg") == {"home/b.jpg": ["home/c.jpg"]}
    with pytest.raises(ValueError, match="not found. Received: '~nobody-here/a.jpg'"):
        find_outputs(["~nobody-here/a.jpg"], "out")


def test_a_file_keeps_its_own_name_beside_a_link_to_it_which_is_counted(here):
    os.symlink("b.png", here / "photos/a-link.png")
    os.symlink("../a.jpg", here / "photos/other.jpg")
    os.symlink("nothing.png", here / "photos/nothing.png")
    jobs, _, left_out, _ = find_outputs(["photos", "photos"], "out")
    found = [str(job.outputs[0]) for job in jobs]
    names = ["b.png", "deep/c.tif", "nothing.png", "other.jpg"]
    assert found == [f"out/{name}" for name in names]
    assert left_out == {".txt": 1, "duplicate link": 1}


def test_a_link_that_leads_nowhere_is_named_by_a_pattern_too(here):
    os.symlink("nothing.png", here / "photos/nothing.png")
    assert sorted(outputs(["photos/*.png"], "out")) == [
        "photos/b.png",
        "photos/nothing.png",
    ]


def test_earlier_results_within_the_input_are_no_inputs(here):
    (here / "photos/out/deep").mkdir(parents=True)
    write_whole_image(here / "photos/out/b.png")
    (here / "photos/out/scores.csv").write_bytes(b"")
    todo, _, left_out, _ = find_outputs(["photos"], "photos/out", existing="skip")
    assert [t.source.name for t in todo] == ["c.tif"]
    assert left_out == {".txt": 1}


def test_pictures_of_a_comparison_replace_nothing(here):
    (here / "a-compare.png").write_bytes(b"")
    with pytest.raises(ValueError, match="Received: .*a-compare.png"):
        find_outputs(["a.jpg"], "a.webp", compare=True)
    jobs, *_ = find_outputs(["a.jpg"], "new/a.webp", compare=True)
    names = [path.name for path in jobs[0].pictures]
    assert names == ["a-compare.png", "a-steps.png"]
    assert find_outputs(["a.jpg"], "a.webp")[0][0].pictures == []


def test_links_that_lead_nowhere_are_in_the_way(here):
    os.symlink("nowhere", here / "out")
    with pytest.raises(ValueError, match="cannot be written.*not a folder"):
        find_outputs(["photos"], "out")
    os.symlink("nowhere.png", here / "new.png")
    with pytest.raises(ValueError, match="already exist.*new.png"):
        find_outputs(["a.jpg"], "new.png")


@pytest.mark.parametrize("name", ["{name}\0", "x/{name}", "x", 5, ["{name}"]])
def test_templates_of_no_name_are_refused(here, name):
    with pytest.raises(ValueError, match="must hold {name}"):
        find_outputs(["photos"], "out", name=name)


@pytest.mark.parametrize("shard", [5, (0, 2, 3), (), (2, 2), ("a", 2), (0, 0)])
def test_what_is_no_shard_is_refused(here, shard):
    with pytest.raises(ValueError, match="Received: shard"):
        find_outputs(["photos"], "out", shard=shard)


def test_shards_are_the_same_everywhere_and_share_all_files(here):
    for index in range(5):
        (here / f"photos/{index}.png").write_bytes(b"")
    everything = outputs(["photos", "a.jpg"], "out")
    shards = [outputs(["photos", "a.jpg"], "out", shard=(i, 3)) for i in range(3)]
    assert [len(shard) for shard in shards] == [3, 3, 2]
    assert {k: v for shard in shards for k, v in shard.items()} == everything
    # Neither the order of inputs nor that of a file system decides.
    assert outputs(["a.jpg", "photos"], "out", shard=(1, 3)) == shards[1]
    assert outputs(["a.jpg"], "out", shard=(1, 2)) == {}


def test_a_shard_looks_at_its_own_results_alone(here):
    (here / "out").mkdir()
    (first,) = outputs(["photos"], "out", shard=(0, 2)).values()
    write_whole_image(here / first[0])
    with pytest.raises(ValueError, match="already exist"):
        find_outputs(["photos"], "out", shard=(0, 2))
    assert len(outputs(["photos"], "out", shard=(1, 2))) == 1
    jobs, skipped, *_ = find_outputs(["photos"], "out", shard=(0, 2), existing="skip")
    assert jobs == [] and len(skipped) == 1


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), (0, 0), (0.5, 2)])
def test_what_is_no_shard(here, shard):
    with pytest.raises(ValueError, match="Received: shard"):
        find_outputs(["photos"], "out", shard=shard)
