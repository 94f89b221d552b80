/** One session of zkCli.sh 3.8 in which every command is given well, with each of its options, and badly. */
export const commands: readonly string[] = `
help
create /n one
create /n again
create /n/empty
create -e /n/e short
create -s /n/s- seq
create -e -s /n/es- both
create -s -e /n/es- both
create -c /n/container x
create -c -e /n/wrong x
create -c -s /n/wrong x
create -t 600000 /n/ttl x
create -t 600000 -s /n/ttls- x
create -t 600000 -e /n/wrong x
create -t 0 /n/wrong x
create -t -5 /n/wrong x
create -t 1099511627776 /n/wrong x
create -t soon /n/wrong x
create /none/x x
create /n/e/below x
create n
create /n/ x
create /n//x x
create /n/../x x
create /n/readable x world:anyone:cr
create /n/wrong x nonsense
create /n/wrong x foo:bar:cdrwa
create /n/wrong x world:anyone:z
create -x /n/wrong
create -s
create
ls /n
ls -s /n
ls -R /n
ls -R -s /n
ls -w -R /n
ls /none
ls -s /none
ls -R /none
ls n
ls
ls -x /n
get /n
get -s /n
get /n/empty
get -s /n/e
get -s /n/container
get -s /n/ttl
get /none
get n
get
get -b /n
stat /n
stat /n/e
stat /none
stat
set /n two
set -s /n three
set -v 2 /n four
set -v 99 /n five
set /none x
set /n
set
stat /n
delete -v 99 /n/empty
delete -v 0 /n/empty
delete /n/empty
delete /n
delete /none
delete /
delete /zookeeper/quota
delete
create /tree 1
create /tree/a 1
create /tree/a/b 1
create /tree/a/b/c 1
create /tree/d 1
ls -R /tree
getAllChildrenNumber /tree
getAllChildrenNumber /none
getAllChildrenNumber
getEphemerals
getEphemerals /n
getEphemerals /none
getEphemerals /n/es-
getAcl /n
getAcl -s /n
getAcl /none
getAcl
setAcl /n world:anyone:cdrwa
setAcl -s /n world:anyone:cdrwa
setAcl -v 2 /n world:anyone:cdrwa
setAcl -v 99 /n world:anyone:cdrwa
setAcl /none world:anyone:cdrwa
setAcl /n nonsense
setAcl /n ip:999.0.0.1:cdrwa
setAcl /n auth::cdrwa
setAcl -R /tree world:anyone:crdwa
setAcl -R /tree world:anyone:cr
getAcl /tree/a/b/c
set /tree/a/b/c changed
setAcl /tree/a world:anyone:cdrwa
setAcl
create /secret hidden
whoami
addauth
addauth digest user:word
addauth ip x
whoami
setAcl /secret auth::cdrwa
getAcl /secret
getAcl -s /secret
get /secret
create /theirs x
setAcl /theirs digest:other:X5T2dBpAlfTXAS0kCb5bpEVyW0A=:cdrwa
get /theirs
get -s /theirs
ls /theirs
stat /theirs
set /theirs x
getAcl /theirs
setAcl /theirs world:anyone:cdrwa
create /theirs/x x
getAllChildrenNumber /theirs
sync /theirs
delete /theirs
setquota -n 3 /n
setquota -n 2 /tree
listquota /tree
setquota -b 100 /tree
listquota /tree
setquota -N 6 /tree
setquota -B 8 /tree
listquota /tree
setquota -n 1 /tree/a
setquota -n 1 /
setquota -n 1 /none
setquota -n x /tree
setquota -n -5 /tree
setquota -n 0 /tree
setquota /tree
setquota -n 2
setquota
create /quota 1
setquota -N 2 /quota
setquota -B 4 /quota
create /quota/a 1
create /quota/b 1
set /quota/a 1234
set /quota/a 123
listquota /quota
get /zookeeper/quota/quota/zookeeper_limits
get /zookeeper/quota/quota/zookeeper_stats
listquota /none
listquota /tree/a
listquota
delquota -n /tree
listquota /tree
delquota -b /tree
delquota -N /tree
delquota -B /tree
listquota /tree
delquota /tree
listquota /tree
delquota /tree
delquota /none
delquota
delquota /quota
set /quota/a 12345
ls -R /zookeeper
create /w 1
get -w /w
set /w 2
set /w 3
stat -w /w
set /w 4
ls -w /w
create /w/c 1
ls -w -s /w
delete /w/c
get -s -w /w
set /w 5
stat -w /w/missing
create /w/missing x
delete /w/missing
addWatch /w
create /w/deep 1
create /w/deep/er 1
set /w/deep/er 2
delete /w/deep/er
removewatches /w -a
set /w 6
addWatch -m PERSISTENT /w/deep
set /w/deep 2
set /w/deep 3
create /w/deep/x 1
delete /w/deep/x
removewatches /w/deep
set /w/deep 4
addWatch -m PERSISTENT_RECURSIVE /w/deep
set /w/deep 5
removewatches /w/deep -a
get -w /w/deep
removewatches /w/deep -c
removewatches /w/deep -d
set /w/deep 6
ls -w /w/deep
removewatches /w/deep -d
removewatches /w/deep -c
create /w/deep/y 1
get -w /w/deep
ls -w /w/deep
removewatches /w/deep -a -l
removewatches /w/deep -a
removewatches /none
removewatches
addWatch -m NONSENSE /w
addWatch -m /w
addWatch
printwatches
printwatches off
get -w /w/deep
set /w/deep 7
printwatches
printwatches on
get -w /w/deep
set /w/deep 8
printwatches maybe
printwatches
printwatches on
sync /n
sync /none
sync
config
config -c
config -s
config -w
config -x
reconfig -remove 3
reconfig -s -remove 3
reconfig -v 0 -remove 3
reconfig -add server.4=127.0.0.1:1:2;3
reconfig -members server.1=127.0.0.1:1:2;3
reconfig -add server.4=127.0.0.1:1:2;3 -members server.1=127.0.0.1:1:2;3
reconfig
version
history
redo 0
redo 2
create /many 1
create /many/a 1
create /many/a/b 1
create /many/a/b/c 1
create /many/d 1
deleteall -b 2 /many
ls /many
create /tree/e 1
deleteall /tree
ls -R /tree
setAcl -R /tree world:anyone:cdrwa
deleteall /tree/none
deleteall /none
deleteall
delete /n/e
delete /n/es-0000000003
delete /n/es-0000000004
create -e /n/last x
close
ls /
create /x
close
connect $SERVER
ls /
getEphemerals
whoami
get /secret
connect
connect $SERVER
ls /n
whoami extra words
addauth digest
`
  .trim()
  .split('\n')
