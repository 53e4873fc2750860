"""What went wrong with a disk, in words; the system's own are English. Pure."""

import errno

_WORDS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "akun yang menjalankan Alur tidak berhak di sana"),
    errno.EROFS: "disk itu hanya dapat dibaca",
    errno.ENOSPC: "disk penuh",
    errno.EDQUOT: "jatah disk habis",
    errno.EFBIG: "disk itu tidak dapat memuat berkas sebesar ini",
    errno.EIO: "disk rusak atau terlepas",
    **dict.fromkeys((errno.ENODEV, errno.ENXIO), "disk terlepas"),
    errno.ENOENT: "berkas atau folder itu tidak ada",
    errno.ENOTDIR: "yang ada di sana bukan folder",
    errno.EISDIR: "yang ada di sana folder, bukan berkas",
    errno.EEXIST: "sudah ada yang lain di sana",
    **dict.fromkeys((errno.ESTALE, errno.EHOSTDOWN), "folder jaringan terputus"),
}


def disk_error_text(error: OSError) -> str:
    """The cause, without a full stop; an unknown one by its name ("EINVAL")."""
    code = errno.errorcode.get(error.errno or 0, error.errno)
    return _WORDS.get(error.errno or 0, f"kesalahan {code}")
