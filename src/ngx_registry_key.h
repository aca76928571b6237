
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_KEY_H_INCLUDED_
#define _NGX_REGISTRY_KEY_H_INCLUDED_


#include "ngx_registry.h"
#include "ngx_registry_digest.h"


#pragma GCC visibility push(hidden)


/*
 * Keys of the storage layout of distribution, registry/storage/paths.go,
 * relative to the bucket.  All begin with <prefix>docker/registry/v2/, and
 * those of a repository go on with repositories/<name>/:
 *
 *     ROOT
 *     REPOSITORIES  repositories/ or, with a name, repositories/<name>/
 *     TAGS          repositories/<name>/_manifests/tags/
 *     TAG_CURRENT   ... _manifests/tags/<tag>/current/link
 *     TAG_INDEX     ... _manifests/tags/<tag>/index/<algorithm>/<hex>/link
 *     REVISION      ... _manifests/revisions/<algorithm>/<hex>/link
 *     LAYER         ... _layers/<algorithm>/<hex>/link
 *     TAG           ... _manifests/tags/<tag>/
 *     REFERRERS     ... _referrers/<algorithm>/<hex>/, of a subject
 *     REFERRER      ... _referrers/<algorithm>/<hex>/<algorithm>-<hex>/
 *                   descriptor, first of the subject, then of the manifest
 *                   that refers to it
 *     BLOBS         blobs/
 *     BLOB          blobs/<algorithm>/<first two of hex>/<hex>/data
 *     BLOB_LINK     blobs/<algorithm>/<first two of hex>/<hex>/link, to the
 *                   SHA-256 of a blob that is known by another hash, too
 *
 * What ends with a slash is a prefix, to be listed; the others are objects.
 *
 * REFERRERS, REFERRER and BLOB_LINK are not distribution's, which takes no
 * notice of directories of a repository that begin with "_" and are none of
 * its own, nor of what is not "data" below blobs.
 */

typedef enum {
    NGX_REGISTRY_KEY_ROOT = 0,
    NGX_REGISTRY_KEY_REPOSITORIES,
    NGX_REGISTRY_KEY_TAGS,
    NGX_REGISTRY_KEY_TAG_CURRENT,
    NGX_REGISTRY_KEY_TAG_INDEX,
    NGX_REGISTRY_KEY_REVISION,
    NGX_REGISTRY_KEY_LAYER,
    NGX_REGISTRY_KEY_TAG,
    NGX_REGISTRY_KEY_REFERRERS,
    NGX_REGISTRY_KEY_REFERRER,
    NGX_REGISTRY_KEY_BLOBS,
    NGX_REGISTRY_KEY_BLOB,
    NGX_REGISTRY_KEY_BLOB_LINK
} ngx_registry_key_e;


typedef struct {
    ngx_registry_key_e     type;
    ngx_registry_span_t    prefix;    /* rootdirectory, "" or "a/b/", of
                                         key_prefix_write() */
    ngx_registry_span_t    name;      /* repository; may be empty for
                                         REPOSITORIES */
    ngx_registry_span_t    tag;       /* of TAG_CURRENT, TAG_INDEX */
    ngx_registry_digest_t  subject;   /* of REFERRERS, REFERRER */
    ngx_registry_digest_t  digest;    /* of TAG_INDEX, REVISION, LAYER, BLOB,
                                         BLOB_LINK, REFERRER;
                                         as digest_parse() returns it */
} ngx_registry_key_t;


/*
 * The length of a key in bytes, and the key: exactly that many bytes, neither
 * encoded nor NUL-terminated.  Fields that the type does not use are not read.
 * The others are taken as they are: names, tags and digests have been checked
 * before.  key_write() returns the end of what was written.
 */
size_t ngx_registry_key_len(const ngx_registry_key_t *key);
u_char *ngx_registry_key_write(u_char *dst, const ngx_registry_key_t *key);

/*
 * Turns rootdirectory, as distribution's configuration has it, into what
 * stands before "docker/registry": no slash in front, and one at the end
 * unless it is empty.  Slashes within stay as they are.
 *
 * distribution, registry/storage/driver/s3-aws/s3.go, s3Path():
 * TrimLeft(TrimRight(rootdirectory, "/") + path, "/").
 *
 * dst takes rootdirectory->len + 1 bytes and does not overlap it.  Returns
 * the end of what was written.
 */
u_char *ngx_registry_key_prefix_write(u_char *dst,
    const ngx_registry_span_t *rootdirectory);

/*
 * Whether [p, last) is a key as distribution's drivers take them: components
 * of letters, digits, ".", "_" and "-" with single slashes between them, none
 * of which is "." or "..".  A prefix may end with a slash.  As the path of a
 * file it leads nowhere but below the directory that it is appended to.
 *
 * distribution, registry/storage/driver/storagedriver.go, PathRegexp.
 *
 * Returns 1 or 0.
 */
int ngx_registry_key_check(const u_char *p, const u_char *last);

/*
 * Parses the content of a link object: a digest and nothing else.  As in
 * distribution, registry/storage/blobstore.go, readlink(), nothing is trimmed:
 * a link to which somebody has added a line feed is INVALID.
 *
 * The digest may be another one than that in the key of the link:
 * _layers/sha512/.../link of distribution holds a sha256.
 *
 * Parameters and results are those of ngx_registry_digest_parse().
 */
ngx_registry_status_e ngx_registry_link_parse(const u_char *p,
    const u_char *last, ngx_registry_digest_t *d);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_KEY_H_INCLUDED_ */
