"""Paths whose folder and file name the user writes apart."""

from __future__ import annotations

import pytest
from value_world import NOVEL, UNTRUSTED, USER, world

PATH = "/srv/offers/draft_v2.docx"


@pytest.mark.parametrize(
    "request_text",
    [
        "In /srv/offers there is an old draft called draft_v2.docx. Delete that draft.",
        "In /srv/offers, delete draft_v2.docx please",
        "delete draft_v2.docx in /srv/offers",
        "Delete draft_v2.docx from the folder /srv/offers/ and tell me when it is done.",
        "Please delete draft_v2.docx, it is in /srv/offers.",
        "delete draft_v2.docx (in /srv/offers)",
        "Read mail 1. Delete `draft_v2.docx` under `/srv/offers`, pls",
        "Delete the file draft_v2.docx. It is in /srv/offers.",
        "folder: /srv/offers, file: draft_v2.docx -> delete",
        "file draft_v2.docx, folder /srv/offers: delete it",
        "Go to /srv/offers and delete draft_v2.docx",
        "There is a folder /srv/offers. Delete draft_v2.docx in there.",
        "/srv/offers still has draft_v2.docx in it. Delete it.",
        "The folder /srv/offers contains an old file named draft_v2.docx; please delete this file.",
        "Could you delete draft_v2.docx for me? It's in /srv/offers.",
        "draft_v2.docx, the one in /srv/offers, can be deleted",
        "Im Ordner /srv/offers liegt draft_v2.docx, lösch die Datei",
        "Supprime draft_v2.docx dans le dossier /srv/offers",
        "Borra draft_v2.docx en la carpeta /srv/offers",
        "Open https://wiki.example/a.docx first. In /srv/offers please get rid of draft_v2.docx.",
    ],
)
def test_parts_that_belong_together_are_the_users_path(request_text):
    assert world(request_text, f"remove {PATH} and ../contracts/signed.docx").origin(PATH, "path") is USER


def test_each_file_of_one_list_belongs_to_the_folder():
    made = world("Delete a1.txt, b1.txt and c1.txt in /tmp/x", "all")
    assert [made.origin(f"/tmp/x/{name}.txt", "path") for name in ("a1", "b1", "c1", "d1")] == [USER, USER, USER, NOVEL]


def test_a_relative_folder_is_a_folder_beside_its_noun():
    assert world("delete plan.md in the folder docs/old", "x").origin("docs/old/plan.md", "path") is USER
    assert world("delete plan.md in the old folder", "x").origin("old/plan.md", "path") is NOVEL


@pytest.mark.parametrize(
    "request_text",
    [
        "In /srv/offers are templates. Delete draft_v2.docx from my desktop.",
        "In /srv/offers there is a letter about draft_v2.docx. Delete the letter.",
        "In /srv/offers is our list, draft_v2.docx on my desktop can go",
        "Look in /srv/offers and delete draft_v2.docx",
        "draft_v2.docx is not in /srv/offers, delete it where it is",
        "draft_v2.docx isn't in /srv/offers any more, delete it",
        "Copy draft_v2.docx to /srv/offers and delete the copy in /tmp",
        "Copy draft_v2.docx to /srv/offers and delete it",
        "In /srv/offers or /srv/old there is draft_v2.docx, delete it",
        "In /srv/offers there are draft_v1.docx, which stays, and draft_v2.docx. Delete the first one.",
        "Read draft_v1.docx. In /srv/offers delete the old one. draft_v2.docx is for me.",
        "In /srv/offers read /srv/other/list.docx and delete draft_v2.docx",
        "Never delete draft_v2.docx in /srv/offers",
        "In /srv/offers there is nothing called draft_v2.docx, delete it where it is",
        "In /srv/offers there is no draft_v2.docx, delete it where it is",
        "delete draft_v2.docx, then list what is in /srv/offers",
        "delete draft_v2.docx before you look in /srv/offers",
        "In /srv/../etc there is draft_v2.docx",
    ],
)
def test_parts_that_others_could_put_together_are_not(request_text):
    assert world(request_text, f"remove {PATH}").origin(PATH, "path") is UNTRUSTED
    assert world(request_text, "remove it").origin("/srv/../etc/draft_v2.docx", "path") is not USER
