from studio import *
import pytest, time
@pytest.mark.parametrize("n", range(3))
async def test_speed(database_url, tmp_path, bolt_ons, n):

    t=time.perf_counter()
    clock = Clock()
    database = Database(database_url, bolt_ons)
    async with serving(database, tmp_path, bolt_ons, clock) as (client, settings):
        a=time.perf_counter()
        s= await open_studio("northside", client, settings, database, clock)
        b=time.perf_counter()
        await s.token("owner")
        c=time.perf_counter()
        await s.set_up(bolt_ons=["auto_refund", "drop_in"])
        d=time.perf_counter()
        for _ in range(10): await s.seats_left("MON", 3)
        f=time.perf_counter()
    e=time.perf_counter()
    print("serve",a-t,"open",b-a,"token",c-b,"set_up",d-c,"10 q", f-d, "end",e-f)
